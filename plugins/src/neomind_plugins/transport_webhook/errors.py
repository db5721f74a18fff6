"""What a device is told when its message cannot be taken."""

from __future__ import annotations

from neomind_sdk import ApiError

ACCEPTED = (
    "application/json, text/*, application/x-www-form-urlencoded, multipart/form-data, "
    "image/jpeg, image/png, image/webp, image/gif, image/bmp, application/octet-stream"
)


class UnsupportedType(ApiError):
    """415 that names what came and what is accepted."""

    def __init__(self, media_type: str, where: str = "A body") -> None:
        super().__init__(
            "UNSUPPORTED_MEDIA_TYPE", f"{where} of type '{media_type}' is not accepted", hint=f"accepted: {ACCEPTED}"
        )
