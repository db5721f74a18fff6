"""From candidates to assembled plugins: gates, import, hooks, conflicts, order."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ..contracts import PluginUnavailable, Status, ValidationFailed
from . import checks, threads
from .calls import HookCalls, HookError
from .config import PluginsConfig
from .context import Context
from .discovery import Candidate, ManifestError, forget
from .order import plan, providers
from .records import NAME, Board, PluginFailed, Record
from .settings import Settings

MakeContext = Callable[[Record], Context]


class Loader:
    """Brings candidates as far as assembled; whatever goes wrong ends as a status with a reason."""

    def __init__(
        self, config: PluginsConfig, board: Board, settings: Settings, make_context: MakeContext, safe: str | None
    ) -> None:
        self._config = config
        self._board = board
        self._settings = settings
        self._make_context = make_context
        self._safe = safe
        self._tried: set[str] = set()
        self.calls = HookCalls()

    async def load(self, candidates: Iterable[Candidate]) -> list[Record]:
        """Assemble what is new among ``candidates``; the records that may start, in the order to start them."""
        fresh = [self._admit(one) for one in candidates if not self._board.knows(one.name, one.distribution)]
        wanted = [(record, candidate) for record, candidate in fresh if self._gate(record, candidate)]
        self._one_name_each([record for record, _ in wanted])
        for record, candidate in wanted:
            if not record.failed:
                await self._import(record, candidate)
        for record in self._ordered([record for record, _ in wanted]):
            await self._assemble(record)
        self._resolve_conflicts([record for record, _ in wanted if not record.failed])
        return self._ordered([record for record, _ in wanted])

    def drop(self, record: Record) -> None:
        """Take away everything that assembling added."""
        self.calls.unregister(record.name)
        self._settings.remove_owner(record.name)
        record.contributions = {}

    def _admit(self, candidate: Candidate) -> tuple[Record, Candidate]:
        record = Record(
            name=candidate.name,
            distribution=candidate.distribution,
            version=candidate.version,
            first_party=candidate.first_party,
            location=candidate.location,
        )
        record.drop = lambda: self.drop(record)
        self._board.add(record)
        return record, candidate

    def _gate(self, record: Record, candidate: Candidate) -> bool:
        """Decide from the outside whether the plugin may be imported."""
        blocked = self._why_blocked(record)
        if blocked:
            self._board.move(record, Status.BLOCKED, blocked)
        elif not NAME.fullmatch(record.name):
            text = f"the entry point's name '{record.name}' must be lower case letters, digits and _"
            self._board.fail(record, Status.MANIFEST_ERROR, text)
        elif candidate.gate:
            self._board.fail(record, Status.INCOMPATIBLE, f"{record.distribution} {candidate.gate}")
        return record.status is Status.FOUND

    def _why_blocked(self, record: Record) -> str | None:
        if record.name in self._config.block:
            return "named in the block list"
        if self._config.only is not None and record.name not in self._config.only:
            return "not named in the list of plugins to load"
        if self._safe and not record.first_party:
            return f"safe mode: {self._safe}"
        return None

    def _one_name_each(self, fresh: list[Record]) -> None:
        for record in fresh:
            rivals = [r for r in self._board.named(record.name) if r.status in (Status.FOUND, Status.ENABLED)]
            if len(rivals) < 2:
                continue
            running = [rival for rival in rivals if rival not in fresh]
            ours = running or [rival for rival in rivals if rival.first_party]
            winner = ours[0] if len(ours) == 1 else None
            who = " and ".join(rival.distribution for rival in rivals)
            end = f"{winner.distribution} keeps the name" if winner else "neither is loaded"
            for rival in rivals:
                if rival is not winner:
                    self._board.fail(rival, Status.CONFLICT, f"{who} both have a plugin '{record.name}'; {end}")

    async def _import(self, record: Record, candidate: Candidate) -> None:
        self._read_again(record)
        cap = self._config.start_cap_s
        try:
            record.plugin, record.hooks = await threads.call(candidate.load, cap)
            await threads.call(lambda: self.calls.register(record.name, record.hooks), cap)
        except threads.ForeignError as failed:
            manifest = isinstance(failed.error, ManifestError | HookError)
            status = Status.MANIFEST_ERROR if manifest else Status.IMPORT_ERROR
            self._board.fail(record, status, str(failed.error) if manifest else str(failed), failed.error)
        except TimeoutError as error:
            self._board.fail(record, Status.IMPORT_ERROR, f"importing it took over {cap:g} s", error)

    def _read_again(self, record: Record) -> None:
        """At a second attempt import the modules anew, unless a running plugin is made of them."""
        module = (record.location or "").partition(":")[0]
        if module in self._tried and not any((r.location or "").startswith(module) for r in self._board.enabled()):
            forget(module)
        self._tried.add(module)

    def _ordered(self, records: list[Record]) -> list[Record]:
        """Those that can start, in order; the others get ``missing_requirement`` or, in a loop, ``manifest_error``."""
        alive = {record.name: record for record in records if not record.failed and record.plugin}
        broken = {
            name: f"{record.status.value}: {record.reason}"
            for record in self._board
            if record.failed
            for name in (*(record.plugin.provides if record.plugin else ()), record.name)
        }
        running = providers(record.plugin for record in self._standing(records) if record.plugin)
        result = plan({name: record.plugin for name, record in alive.items() if record.plugin}, broken, running)
        for reasons, status in ((result.cycles, Status.MANIFEST_ERROR), (result.missing, Status.MISSING_REQUIREMENT)):
            for name, reason in reasons.items():
                self.drop(alive[name])
                self._board.fail(alive[name], status, reason)
        return [alive[name] for name in result.order if name in alive]

    def _standing(self, fresh: list[Record]) -> list[Record]:
        """Those of earlier looks that run or are still starting."""
        return [record for record in self._board if not record.failed and record.plugin and record not in fresh]

    async def _assemble(self, record: Record) -> None:
        record.context = context = self._make_context(record)
        name, cap = record.name, self._config.start_cap_s
        try:
            sections = await threads.call(lambda: self.calls.collect(name, "settings", context), cap)
            if self._refused(record, "settings", sections):
                return
            for section in sections:
                self._settings.add(name, section)
            found = await threads.call(lambda: self.calls.collect_all(name, context), cap)
            record.contributions = {"settings": sections, **found} if sections else found
            for kind, items in found.items():
                if self._refused(record, kind, items):
                    return
        except PluginFailed:  # strict mode: it is said already
            raise
        except ValidationFailed as error:
            self._give_up(record, Status.CONFIG_ERROR, f"[plugin.{name}] {error.message}", error)
        except threads.ForeignError as failed:
            known = isinstance(failed.error, PluginUnavailable | HookError)
            self._give_up(record, Status.SELF_CHECK_FAILED, str(failed.error) if known else str(failed), failed.error)
        except TimeoutError as error:
            self._give_up(record, Status.SELF_CHECK_FAILED, f"its hooks took over {cap:g} s", error)
        except Exception as error:  # an object whose properties raise, a section that is no attrs class
            self._give_up(record, Status.SELF_CHECK_FAILED, threads.describe(error), error)

    def _refused(self, record: Record, kind: str, items: list[object]) -> bool:
        problem = checks.wrong(record.name, kind, items)
        if problem:
            self._give_up(record, Status.SELF_CHECK_FAILED, problem, None)
        return problem is not None

    def _give_up(self, record: Record, status: Status, reason: str, error: BaseException | None) -> None:
        self.drop(record)
        self._board.fail(record, status, reason, error)

    def _resolve_conflicts(self, fresh: list[Record]) -> None:
        refused = checks.conflicts(self._standing(fresh), fresh)
        for record in fresh:
            if id(record) in refused:
                self._give_up(record, Status.CONFLICT, refused[id(record)], None)
