"""Pictures in messages become files."""

from __future__ import annotations

import base64
import errno
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neomind_plugins.telemetry import images
from neomind_plugins.telemetry.images import begins_like_picture, format_of, own_segment, picture, segment, suspect
from neomind_sdk import ApiError, BadRequest, DeviceUnregistered, NotFound, Notice, Point, StorageFull

PAD = bytes(range(80))
FORMATS = {
    "png": b"\x89PNG\r\n\x1a\n" + PAD,
    "jpg": b"\xff\xd8\xff\xe0" + PAD,
    "gif": b"GIF89a" + PAD,
    "webp": b"RIFF\x10\x00\x00\x00WEBP" + PAD,
    "bmp": b"BM\x66\x00\x00\x00" + bytes(4) + PAD,
    "tiff": b"II*\x00" + PAD,
}


def b64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def compact(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


@pytest.mark.parametrize("extension", FORMATS)
def test_known_formats_are_found_as_data_url_and_as_bare_base64(extension: str) -> None:
    content = FORMATS[extension]
    assert format_of(content) == extension
    for text in (b64(content), f"data:image/png;base64,{b64(content)}", f"DATA:IMAGE/X;base64,{b64(content)}"):
        found = picture(text)
        assert found is not None
        assert (found.content, found.extension) == (content, extension)
        assert suspect(compact({"a": [text]}))
        assert begins_like_picture(text)


def test_big_endian_tiff() -> None:
    assert format_of(b"MM\x00*" + PAD) == "tiff"
    assert picture(b64(b"MM\x00*" + PAD)) is not None


def test_unknown_formats_are_binary_where_the_url_says_image() -> None:
    found = picture(f"data:image/svg+xml;base64,{b64(b'<svg/>' + PAD)}")
    assert found is not None
    assert found.extension == "bin"


@pytest.mark.parametrize(
    "text",
    [
        "/9j/" + "!" * 100,
        "data:image/png;base64," + "!" * 100,
        "data:text/plain;base64," + "A" * 100,
        "iVBORw0KGgo" + "A" * 81,
        "a" * 200,
        b64(FORMATS["png"])[:60],
        "",
    ],
)
def test_other_strings_are_no_pictures(text: str) -> None:
    found = picture(text)
    assert found is None or found.extension == "png"


@given(st.dictionaries(st.text(), st.text(max_size=300) | st.integers(), max_size=4))
def test_what_is_not_suspect_has_no_picture(payload: dict[str, Any]) -> None:
    if not suspect(json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")):
        assert not any(isinstance(value, str) and picture(value) for value in payload.values())


async def test_a_message_keeps_the_address_in_place_of_the_picture(world: Any) -> None:
    world.directory.add("boiler", "image", "meta.thumb")
    url = f"data:image/png;base64,{b64(FORMATS['png'])}"
    payload = {"image": url, "meta": {"thumb": b64(FORMATS["jpg"])}, "again": [url], "note": "x" * 100}
    await world.ingest.submit([world.uplink(payload)])
    stored = await world.stored()
    raw = json.loads(stored["_raw"][0])
    address = stored["image"][0]
    assert address.startswith("/api/images/boiler/image/")
    assert address.endswith(".png")
    assert stored["meta.thumb"][0].startswith("/api/images/boiler/meta_thumb/")
    assert raw == {"image": address, "meta": {"thumb": stored["meta.thumb"][0]}, "again": [address], "note": "x" * 100}
    content, media_type = await world.images.read(*address.split("/")[3:])
    assert (content, media_type) == (FORMATS["png"], "image/png")


async def test_a_bare_picture_is_the_scalar(world: Any) -> None:
    world.directory.add("boiler")
    await world.ingest.submit([world.uplink(b64(FORMATS["gif"]))])
    assert (await world.stored())["value"][0].startswith("/api/images/boiler/value/")


async def test_a_written_picture_becomes_a_file_too(world: Any) -> None:
    world.directory.add("boiler")
    await world.ingest.write([Point("device:boiler:image", 5, b64(FORMATS["gif"]))], source="api")
    assert (await world.stored())["image"][0].startswith("/api/images/boiler/image/")
    assert world.bus.events[0].points[0].value.endswith(".gif")


async def test_the_same_picture_is_one_file_as_old_as_its_newest_sample(world: Any) -> None:
    url = b64(FORMATS["png"])
    first = await world.images.replace("boiler", url, "image", 2000)
    assert await world.images.replace("boiler", url, "image", 5000) == first
    assert await world.images.replace("boiler", url, "image", 1000) == first
    (path,) = world.folder.glob("*/*/*")
    assert path.stat().st_mtime == 5
    assert await world.images.delete_before(5000) == 0
    assert await world.images.delete_before(5001) == 1
    assert list(world.folder.glob("*/*/*")) == []


async def test_a_picture_that_comes_again_while_old_ones_are_deleted_stays(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, found = b64(FORMATS["png"]), images.files
    address = await world.images.replace("boiler", url, "image", 1000)

    def slow(folder: Path) -> Iterator[Path]:
        yield from list(found(folder))
        assert world.images._replace("boiler", url, "image", 9000) == address

    monkeypatch.setattr(images, "files", slow)
    assert await world.images.delete_before(5000) == 0
    assert await world.images.read(*address.removeprefix("/api/images/").split("/"))


@pytest.mark.parametrize(
    ("number", "status"), [(errno.ENOSPC, 507), (errno.EDQUOT, 507), (errno.EIO, 503), (errno.EACCES, 503)]
)
async def test_a_picture_that_cannot_be_written_fails_the_message(
    world: Any, monkeypatch: pytest.MonkeyPatch, number: int, status: int
) -> None:
    def fail(path: Path, content: bytes, ts_ms: int) -> None:
        raise OSError(number, os.strerror(number))

    world.directory.add("boiler", "image")
    monkeypatch.setattr(images, "write_file", fail)
    with pytest.raises(ApiError) as caught:
        await world.ingest.submit([world.uplink({"image": b64(FORMATS["png"])})])
    assert caught.value.status == status
    assert isinstance(caught.value, StorageFull) == (status == 507)
    assert await world.stored() == {}


@pytest.mark.parametrize(
    "parts",
    [
        ("boiler", "image", "x.svg"),
        ("boiler", "image", "png"),
        ("..", "image", "x.png"),
        ("boiler", "..", "x.png"),
        ("boiler", "image", "..png"),
        ("boiler", "a/b", "x.png"),
        ("boiler", "", "x.png"),
        ("boiler", "image\0", "x.png"),
    ],
)
async def test_other_addresses_are_refused(world: Any, parts: tuple[str, str, str]) -> None:
    with pytest.raises(BadRequest):
        await world.images.read(*parts)


async def test_a_picture_that_is_gone_is_not_found(world: Any) -> None:
    with pytest.raises(NotFound, match=r"x\.png"):
        await world.images.read("boiler", "image", "x.png")


@given(st.text())
def test_every_name_is_a_safe_segment(name: str) -> None:
    assert images._SEGMENT.fullmatch(segment(name))
    assert images._SEGMENT.fullmatch(own_segment(name))


@given(st.text("ab._-:", max_size=8), st.text("ab._-:", max_size=8))
def test_no_two_devices_share_a_folder(one: str, other: str) -> None:
    assert (own_segment(one) == own_segment(other)) is (one == other)
    assert own_segment(own_segment(one)) != own_segment(one) or own_segment(one) == one


async def test_pictures_go_with_their_device(world: Any) -> None:
    await world.images.replace("boiler", b64(FORMATS["png"]), "image", 1)
    for device_id in ("pump", "boil.er", "boil_er"):
        await world.images.replace(device_id, b64(FORMATS["png"]), "image", 1)
    events = [DeviceUnregistered(device_id=name, device_type="t") for name in ("boiler", "never", "boil.er")]
    await world.images.forget([Notice(seq, 0, event) for seq, event in enumerate(events)])
    assert sorted(path.name for path in world.folder.iterdir()) == ["boil_er", "pump"]
