"""What is old is deleted, and nothing else."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from neomind_plugins.telemetry import retention
from neomind_plugins.telemetry.models import RetentionSettings
from neomind_plugins.telemetry.retention import is_image
from neomind_sdk import Point, StorageBusy
from neomind_sdk.units import HOUR_MS


@pytest.mark.parametrize(
    "name",
    ["image", "image_data", "__webhook_image", "values.images[0]", "lastSnapshot", "frame_rate", "JPG", "camera.PNGs"],
)
def test_names_with_an_image_word(name: str) -> None:
    assert is_image(name)


@pytest.mark.parametrize("name", ["temperature", "imagination", "framework", "snap", "pngx", "_raw", "x1"])
def test_other_names(name: str) -> None:
    assert not is_image(name)


async def fill(world: Any) -> None:
    for metric, value in (("t", 1), ("image", "/api/images/x"), ("frame_rate", 25), ("_raw", "{}")):
        ages = (721, 719, 73, 71)
        points = [Point(f"device:boiler:{metric}", world.clock.ms - hours * HOUR_MS, value) for hours in ages]
        await world.store.append(points)


async def ages(world: Any) -> dict[str, list[int]]:
    found = {}
    for name in await world.store.series("device:"):
        samples = await world.store.range(name, 0, world.clock.ms, limit=99)
        found[name.split(":")[2]] = [(world.clock.ms - sample.ts_ms) // HOUR_MS for sample in samples]
    return found


async def test_images_go_earlier_than_numbers_of_similar_names(world: Any) -> None:
    await fill(world)
    await world.retention.clean()
    kept = [71, 73, 719]
    assert await ages(world) == {"t": kept, "frame_rate": kept, "_raw": kept, "image": [71]}
    assert world.log.lines == ["retention_done"]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"default_retention": None}, {"t": 4, "image": 1}),
        ({"image_retention": None}, {"t": 3, "image": 4}),
        ({"default_retention": 72, "image_retention": 720}, {"t": 1, "image": 3}),
        ({"default_retention": 1, "image_retention": 1}, {}),
    ],
)
async def test_each_kind_has_its_own_time(world: Any, change: dict[str, Any], expected: dict[str, int]) -> None:
    world.settings = RetentionSettings(**change)
    await fill(world)
    await world.retention.clean()
    kept = {name: len(hours) for name, hours in (await ages(world)).items()}
    assert {name: kept[name] for name in ("t", "image") if name in kept} == expected


async def test_time_makes_things_old(world: Any) -> None:
    await fill(world)
    await world.retention.recur()
    world.clock.ms += 648 * HOUR_MS
    await world.retention.recur()
    assert await ages(world) == {"t": [719], "frame_rate": [719], "_raw": [719]}


async def test_image_files_go_with_their_samples(world: Any) -> None:
    world.directory.add("boiler", "image")
    picture = "data:image/png;base64," + "iVBORw0KGgo" + "A" * 101
    await world.ingest.submit([world.uplink({"image": picture})])
    await world.retention.clean()
    assert len(list(world.folder.glob("*/*/*"))) == 1
    world.clock.ms += 73 * HOUR_MS
    await world.retention.clean()
    assert list(world.folder.glob("*/*/*")) == []


async def test_files_stay_where_images_stay(world: Any) -> None:
    world.settings = RetentionSettings(image_retention=None)
    await world.images.replace("boiler", "data:image/png;base64," + "A" * 100, "image", 1)
    await world.retention.clean()
    assert len(list(world.folder.glob("*/*/*"))) == 1


async def test_switched_off_the_job_does_nothing_but_asking_does(world: Any) -> None:
    world.settings = RetentionSettings(enabled=False)
    await fill(world)
    await world.retention.recur()
    assert len((await ages(world))["t"]) == 4
    await world.retention.clean()
    assert len((await ages(world))["t"]) == 3


async def test_many_series_are_deleted_in_steps(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    await world.store.append([Point(f"device:boiler:m{n}", 1, n) for n in range(2 * retention.STEP + 1)])
    steps = []
    delete = world.store.delete_before
    monkeypatch.setattr(
        world.store, "delete_before", lambda ts, series: (steps.append(len(series)), delete(ts, series=series))[1]
    )
    await world.retention.clean()
    assert steps == [retention.STEP, retention.STEP, 1]
    assert await world.store.series() == []


async def test_two_never_run_at_once(world: Any) -> None:
    job = world.retention
    job.running = True
    await fill(world)
    await job.recur()
    assert len((await ages(world))["t"]) == 4


async def test_a_failure_is_logged_and_the_next_run_comes(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(prefix: str = "") -> list[str]:
        raise StorageBusy("full")

    job = world.retention
    with monkeypatch.context() as patch:
        patch.setattr(world.store, "series", fail)
        await job.clean_logged()
    assert (world.log.lines, job.running) == (["retention_failed"], False)
    await job.clean_logged()
    assert world.log.lines == ["retention_failed", "retention_done"]


@pytest.mark.parametrize("change", [{"interval_hours": 0}, {"default_retention": 0}, {"image_retention": -1}])
def test_settings_that_cannot_be(change: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        attrs.evolve(RetentionSettings(), **change)
