"""The device types that are there at the first start: the cameras NE101 and NE301.

What they send is described by their manufacturer: https://wiki.camthink.ai, "NeoEyes NE101 Series" (Quick Start, data
format) and "NeoEyes NE301 Series" (MQTT data interaction). The migration that seeds the types has run where the
platform is installed already, so a change here reaches new installations only.
"""

from __future__ import annotations

from neomind_sdk import CommandDef, DeviceType, MetricDef, ParamDef

DURATION = ParamDef(
    name="duration_sec",
    display_name="Duration",
    data_type="integer",
    default_value=60,
    min=1,
    max=3600,
    unit="s",
    required=True,
    help_text="How long the camera sleeps.",
)

NE101 = DeviceType(
    device_type="ne101_camera",
    name="NE101 camera",
    description="Battery-powered camera that sends a picture when its button, timer or sensor says so.",
    categories=("camera",),
    metrics=(
        MetricDef(name="ts", display_name="Time of the picture", data_type="integer", unit="ms"),
        MetricDef(name="values.devName", display_name="Device name"),
        MetricDef(name="values.devMac", display_name="MAC address"),
        MetricDef(name="values.battery", display_name="Battery", data_type="integer", unit="%", min=0, max=100),
        MetricDef(name="values.snapType", display_name="Trigger"),
        MetricDef(name="values.localtime", display_name="Local time"),
        MetricDef(name="values.imageSize", display_name="Picture size", data_type="integer", unit="B"),
        MetricDef(name="values.image", display_name="Picture"),
    ),
)

NE301 = DeviceType(
    device_type="ne301_camera",
    name="NE301 camera",
    description="Camera that runs a vision model and sends its results with the picture.",
    categories=("camera", "ai"),
    metrics=(
        MetricDef(name="metadata.image_id", display_name="Picture id"),
        MetricDef(name="metadata.timestamp", display_name="Time of the picture", data_type="integer", unit="s"),
        MetricDef(name="metadata.width", display_name="Picture width", data_type="integer", unit="px"),
        MetricDef(name="metadata.height", display_name="Picture height", data_type="integer", unit="px"),
        MetricDef(name="metadata.size", display_name="Picture size", data_type="integer", unit="B"),
        MetricDef(name="device_info.device_name", display_name="Device name"),
        MetricDef(name="device_info.mac_address", display_name="MAC address"),
        MetricDef(name="device_info.serial_number", display_name="Serial number"),
        MetricDef(name="device_info.software_version", display_name="Software version"),
        MetricDef(name="device_info.power_supply_type", display_name="Power supply"),
        MetricDef(
            name="device_info.battery_percent",
            display_name="Battery",
            data_type="integer",
            unit="%",
            min=0,
            max=100,
        ),
        MetricDef(name="ai_result.model_name", display_name="Model"),
        MetricDef(name="ai_result.inference_time_ms", display_name="Inference time", data_type="integer", unit="ms"),
        MetricDef(name="ai_result.ai_result.type_name", display_name="Task"),
        MetricDef(name="ai_result.ai_result.detection_count", display_name="Detected objects", data_type="integer"),
        MetricDef(name="ai_result.ai_result.detections", display_name="Detections", data_type="array"),
        MetricDef(name="image_data", display_name="Picture"),
    ),
    commands=(
        CommandDef(
            name="capture",
            display_name="Take a picture",
            description="Takes a picture and sends it.",
            payload_template='{"cmd": "capture"}',
        ),
        CommandDef(
            name="sleep",
            display_name="Sleep",
            description="Puts the camera to sleep for a while.",
            payload_template='{"cmd": "sleep", "params": {"duration_sec": ${duration_sec}}}',
            parameters=(DURATION,),
        ),
    ),
)

BUILTIN_TYPES = (NE101, NE301)
