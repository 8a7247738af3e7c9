"""Takes records of a version that knew no account over: each belongs to its environment's account.

Nothing of it is read elsewhere; it may go when nobody comes from such a version any more.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import structlog

from config.server import Environment
from workers.aws.session import aws_of
from workers.ledger import keys
from workers.ledger.former import Former
from workers.ledger.model.errors import RunError
from workers.ledger.model.released import Released
from workers.ledger.owners import Owner, Owners
from workers.ledger.upkeep import Mark, Upkeep
from workers.stages.deploy import REMEMBERED
from workers.workshop import Workshop

log = structlog.get_logger()
Row = dict[str, Any]


def take_over(shop: Workshop) -> int:
    """Write each former record anew under its account; how many there were.

    Doing it again is harmless, and what can't be done now is done at the next start.
    """
    return _TakeOver(shop).go()


@dataclass
class _TakeOver:
    shop: Workshop
    done: set[str] = field(default_factory=set)
    unsure: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.book = Former(self.shop.ledger.redis)
        self.owners = Owners(self.shop.ledger.redis)
        self.live = self.book.live()
        self.environments = self.shop.operator.environments
        upkeep = Upkeep(self.shop.ledger.redis)
        self.rows: dict[str, list[Released]] = {
            name: upkeep.released(name) for name in self.environments
        }

    def go(self) -> int:
        """How many records were taken over."""
        for one in self.environments.values():
            for row in self._latest(one):
                self._try(row.function or "", lambda one=one, row=row: self._released(one, row))
        for place in set(self.live) - self.done:
            function = place.split("/")[1]
            self._try(function, lambda place=place: self._unlisted(place))
        rollouts = [place for place in self.book.rollouts().items() if self._rollout(*place)]
        for function, marks in self.published.items():
            self._try(function, lambda f=function, m=marks: self._published(f, m))
        self._begun()
        self._inherit()
        live = [place for place in self.done if place.split("/")[1] not in self.unsure]
        functions = [name for name in self.published if name not in self.unsure]
        self.book.drop(live, [place for place, _ in rollouts], functions)
        count = len(live) + len(rollouts) + len(functions)
        if count:
            log.info("records_taken_over", places=sorted(live), functions=sorted(functions))
        return count

    @cached_property
    def published(self) -> dict[str, Any]:
        """The versions of each function ever released, as they were known."""
        names = {row.function for rows in self.rows.values() for row in rows if row.function}
        names |= {place.split("/")[1] for place in self.live}
        return self.book.published(sorted(name for name in names if name))

    def _try(self, function: str, act: Any) -> None:  # noqa: ANN401 - any step
        try:
            act()
        except RunError as error:
            self.unsure.add(function)
            log.warning("records_not_taken_over", function=function, error=str(error))

    def _latest(self, one: Environment) -> Iterator[Released]:
        """The newest release of each function at the environment's alias, of before."""
        seen = set()
        for row in self.rows[one.name]:
            if not row.function or row.alias != one.alias or row.event:
                continue
            if row.function not in seen and not row.home:
                yield row
            seen.add(row.function)

    def _released(self, one: Environment, row: Released) -> None:
        aws = aws_of(one)
        former = f"{aws.region}/{row.function}/{one.alias}"
        record = self.live.get(former)
        if record is None:
            return
        # The place was shared by all accounts: only the environment's history tells its own.
        if record.get("run") != row.run:
            record = {name: it for name, it in row.row().items() if name not in ("at", "pruned")}
        self._keep(one, former, record)

    def _unlisted(self, place: str) -> None:
        """What its environment's history has forgotten is its run's, or the only one's there."""
        record = self.live[place]
        region, _, alias = place.split("/")
        run = self.shop.ledger.history.run(record.get("run") or "")
        fits = [
            one
            for one in self.environments.values()
            if one.alias == alias and aws_of(one).region == region
        ]
        mine = [one for one in fits if run and run.order.environment == one.name] or fits
        if len(mine) == 1:
            self._keep(mine[0], place, record)

    def _keep(self, one: Environment, former: str, record: Row) -> None:
        _, function, alias = former.split("/")
        home = aws_of(one).home(function)
        what = record | {"home": home, "environment": one.name}
        self.book.keep_live(keys.alias(home, function, alias), what)
        self.done.add(former)

    def _rollout(self, place: str, run_id: str) -> bool:
        """Whether the run's claim is written anew, or has no meaning any more."""
        _, function, alias = place.split("/")
        run = self.shop.ledger.history.run(run_id)
        one = self.environments.get((run and run.order.environment) or "")
        if run is None or one is None or run.state.final:
            return True
        self._try(function, lambda: self._claim(one, function, alias, run_id))
        return function not in self.unsure

    def _claim(self, one: Environment, function: str, alias: str, run_id: str) -> None:
        self.book.keep_rollout(keys.alias(aws_of(one).home(function), function, alias), run_id)

    def _published(self, function: str, marks: dict[Mark, str]) -> None:
        """A version is where it was released, and where its run was; else it may be anywhere."""
        homes = {name: aws_of(one).home(function) for name, one in self.environments.items()}
        released = {
            (row.version, row.commit, name)
            for name, rows in self.rows.items()
            for row in rows
            if row.function == function
        }
        for mark, run_id in marks.items():
            run = self.shop.ledger.history.run(run_id)
            mine = {n for n in homes if (mark.number, mark.commit, n) in released}
            mine |= {run.order.environment or ""} & set(homes) if run else set()
            for home in {homes[name] for name in mine or homes}:
                self.book.keep_published(home, function, mark, run_id)

    def _inherit(self) -> None:
        """What names the repository that it is of belongs to that one."""
        for place, what in self.book.records():
            source = what.get("source") or {}
            environment = what.get("environment") or place.rpartition("/")[2]
            if source.get("repository_id"):
                owner = Owner(
                    repository_id=source["repository_id"],
                    repository=what["repository"],
                    environment=environment,
                    recorded=True,
                )
                self.owners.inherit(place, owner)

    def _begun(self) -> None:
        """What unended runs have begun to publish is not published twice."""
        ledger = self.shop.ledger
        for run in ledger.history.alive():
            one = self.environments.get(run.order.environment or "")
            (packages,) = ledger.history.fields(run.id, "packages")
            for function in json.loads(packages or "{}") if one else ():
                self._try(function, lambda f=function, o=one, r=run: self._begin(o, f, r))

    def _begin(self, one: Environment, function: str, run: Any) -> None:  # noqa: ANN401 - a run
        aws, commit = aws_of(one), run.order.commit
        if self.book.begun(aws.region, function, commit):
            self.shop.ledger.once(f"version:{aws.home(function)}/{function}/{commit}", REMEMBERED)
