"""Deleting what is old, in small steps."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import attrs

from neomind_sdk import Clock, Logger, TelemetryStore, series
from neomind_sdk.units import HOUR_MS

from .images import Images
from .models import RetentionSettings

STEP = 100
"""So many series at once: a writer that is busy deleting keeps no sample waiting for long."""
IMAGE_WORDS = frozenset(
    ("image", "img", "frame", "snapshot", "photo", "picture", "jpg", "jpeg", "png", "webp", "gif", "bmp", "tiff")
)
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")


@attrs.define
class Retention:
    """Applies the settings of retention; never twice at once."""

    store: TelemetryStore
    images: Images
    clock: Clock
    log: Logger
    settings: Callable[[], RetentionSettings]
    running: bool = attrs.field(default=False, init=False)

    async def recur(self) -> None:
        """What the job does: clean up, unless that is switched off."""
        if self.settings().enabled:
            await self.clean()

    async def clean_logged(self) -> None:
        """Clean up in the background: what goes wrong is logged and tried again at the job's next run."""
        try:
            await self.clean()
        except Exception:
            self.log.exception("retention_failed")

    async def clean(self) -> None:
        """Delete everything that is older than the settings allow; nothing when that is under way."""
        if self.running:
            return
        self.running = True
        try:
            await self._clean(self.settings(), self.clock.now_ms())
        finally:
            self.running = False

    async def _clean(self, settings: RetentionSettings, now_ms: int) -> None:
        every = await self.store.series()
        pictures = await self._image_series(every)
        others = [name for name in every if name not in pictures]
        samples = await self._delete(others, settings.default_retention, now_ms)
        samples += await self._delete(sorted(pictures), settings.image_retention, now_ms)
        files = 0
        if settings.image_retention is not None:
            files = await self.images.delete_before(now_ms - settings.image_retention * HOUR_MS)
        self.log.info("retention_done", samples=samples, files=files)

    async def _delete(self, names: Sequence[str], hours: int | None, now_ms: int) -> int:
        if hours is None:
            return 0
        deleted = 0
        for start in range(0, len(names), STEP):
            deleted += await self.store.delete_before(now_ms - hours * HOUR_MS, series=names[start : start + STEP])
        return deleted

    async def _image_series(self, names: Sequence[str]) -> set[str]:
        """Series whose metric is named like an image and whose newest value is text: ``frame_rate`` is a number."""
        named = [name for name in names if is_image(series.split(name).metric)]
        newest = await self.store.latest(named) if named else {}
        return {name for name, sample in newest.items() if isinstance(sample.value, str)}


def is_image(metric: str) -> bool:
    """Whether one of the words of a metric's name says that it holds images."""
    return any(word.lower().removesuffix("s") in IMAGE_WORDS for word in _WORD.findall(metric))
