"""A look at an environment: what its aliases run in AWS, beside what Slipway made live."""

from collections.abc import Iterable, Mapping
from time import sleep

from config.server import Environment
from config.together import together
from workers.aws import aliases, functions, versions
from workers.aws.faults import ForbiddenError
from workers.aws.session import aws_of
from workers.drift.compare import differences
from workers.drift.heads import Branch, heads
from workers.ledger import keys
from workers.ledger.model.alias import Alias
from workers.ledger.model.errors import RunError, UserError
from workers.ledger.model.observation import CodeStorage, Live, Observation, Recorded, Seen
from workers.ledger.model.released import Released
from workers.ledger.model.run import Run, StageState, State
from workers.ledger.model.stages import RELEASE
from workers.ledger.upkeep import Upkeep
from workers.workshop import Workshop

TOGETHER = 4
LOOKS = 3
"""How often a function is looked at again that changes while it is looked at."""


class Look:
    """One look; `pause` in seconds between two functions leaves AWS's quota to releases.

    `known` are heads of branches that were asked for just now.
    """

    def __init__(
        self,
        shop: Workshop,
        environment: Environment,
        pause: float = 0.0,
        known: Mapping[Branch, str | None] | None = None,
    ) -> None:
        self.shop = shop
        self.environment = environment
        self.aws = aws_of(environment)
        self._pause = pause
        self._known = known or {}
        self._upkeep = Upkeep(shop.ledger.redis)

    def observe(self) -> Observation:
        """What there is to see now; what can't be asked is said, and fails nothing."""
        at = self.shop.ledger.now()
        rows = self._rows()
        if self._pause:
            seen = [self._paced(row) for row in rows]
        else:
            seen = together(self.seen, rows, TOGETHER)
        storage, fault = self._storage()
        return Observation(
            environment=self.environment.name,
            at=at,
            region=self.aws.region,
            functions=tuple(one for one in seen if one),
            heads=heads(self.shop, self.environment.name, self._known),
            storage=storage,
            storage_fault=fault,
        )

    def _rows(self) -> list[Released]:
        """The latest release of each function that the operator still lets Slipway touch."""
        latest: dict[str, Released] = {}
        for row in self._upkeep.released(self.environment.name):
            ours = row.alias == self.environment.alias and not row.event
            if ours and row.function and not self._elsewhere(row):
                latest.setdefault(row.function, row)
        return [latest[name] for name in sorted(latest) if self._allowed(latest[name])]

    def _allowed(self, row: Released) -> bool:
        rule = self.shop.operator.repository(row.repository or "")
        return rule is not None and rule.may_touch(row.function or "")

    def _elsewhere(self, row: Released) -> bool:
        """Whether it was released to another account or region, where the environment was then."""
        return row.home is not None and row.home != self.aws.home(row.function or "")

    def released_here(self, record: Recorded, function: str) -> bool:
        """Whether this environment itself has released a version of a function here."""
        wanted = (function, self.environment.alias, record.version, record.commit)
        return any(
            (row.function, row.alias, row.version, row.commit) == wanted
            for row in self._upkeep.released(self.environment.name)
            if not (row.event or self._elsewhere(row))
        )

    def _paced(self, row: Released) -> Seen | None:
        sleep(self._pause)
        return self.seen(row)

    def seen(self, row: Released) -> Seen | None:
        """One function; None when it is gone and its repository no longer deploys it."""
        base = self._seen(row, self._record(row))
        try:
            for _ in range(LOOKS):
                found = self._once(row)
                if not found.certain or not found.differs:
                    return found
                # A release may have begun and ended between the two readings: is it still so?
                if self._once(row) == found:
                    return None if self._retired(row, found) else found
        except RunError as error:
            return base.model_copy(update={"fault": str(error)})
        return base.model_copy(update={"fault": "it changes all the time"})

    def _once(self, row: Released) -> Seen:
        """One reading; in this order, or a release that ends meanwhile would look like drift."""
        function, alias = row.function or "", self.environment.alias
        exists, live = self._live(function)
        run = self.releasing(function)
        seen = self._seen(row, self._record(row))
        if run:
            return seen.model_copy(update={"live": live, "releasing": run.id})
        differs = differences(function, alias, seen.record, live, exists=exists)
        return seen.model_copy(update={"live": live, "differs": differs})

    def _live(self, function: str) -> tuple[bool, Live | None]:
        """Whether the function exists, and what its alias runs."""
        try:
            found = aliases.look(self.aws, function, self.environment.alias)
        except UserError:
            return False, None
        return True, self._shown(function, found) if found else None

    def _shown(self, function: str, alias: Alias) -> Live:
        version = functions.described(self.aws, function, alias.version)
        return Live(
            version=alias.version,
            commit=version.commit,
            sha256=version.sha256,
            weights=dict(alias.weights),
        )

    def releasing(self, function: str) -> Run | None:
        """The run that has begun to move this function's alias and has not ended."""
        alive = self.shop.ledger.history.alive()
        return next((run for run in alive if self._moves(run, function)), None)

    def _moves(self, run: Run, function: str) -> bool:
        touched = {release.function for release in run.releases}
        return (
            run.order.environment == self.environment.name
            and (function in touched or not touched)
            and _begun(run)
        )

    def unchanged(self, seen: Seen) -> bool:
        """Whether nobody has released the function since it was looked at, or is about to."""
        if self.releasing(seen.function):
            return False
        record = self.shop.ledger.history.live(self.place(seen.function))
        if record is None:
            return False
        mine = record.environment in (None, self.environment.name)
        return mine and record.version == seen.record.version

    def locked(self) -> bool:
        """Whether somebody wants nothing changed in the environment."""
        return self.shop.ledger.locks.of(self.environment.name) is not None

    def place(self, function: str) -> str:
        """The name of one function's alias in the ledger."""
        return keys.alias(self.aws.home(function), function, self.environment.alias)

    def _record(self, row: Released) -> Recorded:
        record = self.shop.ledger.history.live(self.place(row.function or ""))
        # What another environment has made live at the same place is no record of this one.
        if record is None or record.environment not in (None, self.environment.name):
            record = row
        return Recorded(
            version=record.version or "",
            commit=record.commit or "",
            sha256=record.sha256 or "",
            run=record.run or "",
            at=row.at if row.run == record.run else None,
            commits=record.commits,
        )

    def _seen(self, row: Released, record: Recorded) -> Seen:
        return Seen(function=row.function or "", repository=row.repository or "", record=record)

    def _retired(self, row: Released, seen: Seen) -> bool:
        """Whether a function that is gone was left out of its repository's latest release."""
        if seen.differs[0].kind != "function deleted":
            return False
        rows = self._upkeep.released(self.environment.name)
        return _latest_run(rows, row.repository) != row.run

    def _storage(self) -> tuple[CodeStorage | None, str | None]:
        """How full it is, or that it may not be read."""
        try:
            found = versions.storage(self.aws)
        except ForbiddenError as error:
            return None, str(error)
        except RunError:
            return None, None
        return CodeStorage(used=found.used, limit=found.limit), None


def _begun(run: Run) -> bool:
    """Whether a run has moved something, or may at any moment; a held one has not."""
    if run.unfinished:
        return True
    last = run.stages[-1] if run.stages else None
    begun = last is not None and last.name == RELEASE.name and last.state is not StageState.PENDING
    return run.state is State.RUNNING and begun


def _latest_run(rows: Iterable[Released], repository: str | None) -> str | None:
    """The latest run that released all of a repository; a rollback of one function does not."""
    whole = (
        row.run
        for row in rows
        if row.repository == repository
        and not row.event
        and not (row.rollback and row.rollback.function)
    )
    return next(whole, None)
