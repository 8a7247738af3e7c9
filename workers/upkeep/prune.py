"""Deletes versions of functions that nobody needs any more; their packages stay in S3."""

from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from time import sleep
from typing import NamedTuple

import structlog

from config.server import Environment
from workers.aws import functions, versions
from workers.aws.functions import Version
from workers.aws.session import Aws, aws_of
from workers.ledger import keys
from workers.ledger.model.errors import PassingError, RunError
from workers.ledger.model.released import Released
from workers.ledger.unpruned import UnprunedBook
from workers.ledger.upkeep import Mark, Upkeep
from workers.upkeep.retention import Known, doomed
from workers.workshop import Workshop

log = structlog.get_logger()

ALONE_SECONDS = 900.0
AGAIN_SECONDS = 86400.0
"""After which versions that could not be deleted are looked at again."""

MOST = 100
"""Versions that one pass deletes, at most; the next pass goes on."""

PAUSE_SECONDS = 0.25
"""Between two versions: releases come first, and share AWS's quota with us."""


Histories = Mapping[str, Sequence[Released]]
"""What each environment released, newest first."""


class Place(NamedTuple):
    """An account and region as the operator's file names them, and the environments there."""

    aws: Aws
    environments: tuple[Environment, ...]


def places(environments: Sequence[Environment]) -> Iterator[Place]:
    """The environments by where they live."""
    found: dict[Aws, list[Environment]] = {}
    for one in environments:
        found.setdefault(aws_of(one), []).append(one)
    for aws, those in found.items():
        yield Place(aws, tuple(those))


def prune(shop: Workshop, *, most: int = MOST, pause: float = PAUSE_SECONDS) -> int:
    """Delete what is beyond the last releases of every environment; how many versions went."""
    with shop.ledger.alone("prune", ALONE_SECONDS) as alone:
        return Pass(shop, most, pause).go() if alone else 0


class Pass:
    """One look at every function that was ever released."""

    def __init__(self, shop: Workshop, most: int, pause: float) -> None:
        self._upkeep = Upkeep(shop.ledger.redis)
        self._book = UnprunedBook(shop.ledger.redis)
        self._mask = shop.masker.mask
        self._history = shop.ledger.history
        self._every = tuple(shop.operator.environments.values())
        self._most = self._left = most
        self._pause = pause
        self._refused = {
            (name, one.function)
            for name, those in self._book.every(one.name for one in self._every).items()
            for one in those
        }

    def go(self) -> int:
        """Visit each place; what goes wrong with one function stops no other."""
        histories = self._histories()
        for place in places(self._every):
            rows = [row for one in place.environments for row in histories[one.name]]
            for function in sorted({row.function for row in rows if row.function}):
                self._try(place, function, histories)
        return self._most - self._left

    def _histories(self) -> Histories:
        return {one.name: self._upkeep.released(one.name) for one in self._every}

    def _known(self, place: Place, function: str, histories: Histories) -> Known:
        home = place.aws.home(function)
        # By whatever role it is reached: too much is kept rather than too little.
        kept = [
            (_there(histories[one.name], home), one.keep_versions)
            for one in self._neighbours(place, function)
        ]
        alive = list(self._history.alive())
        return Known(function, kept, self._upkeep.published(home, function), alive)

    def _neighbours(self, place: Place, function: str) -> list[Environment]:
        """The environments of the same account and region."""
        home = place.aws.home(function)
        return [one for one in self._every if aws_of(one).home(function) == home]

    def _try(self, place: Place, function: str, histories: Histories) -> None:
        done, name = True, ""
        try:
            candidates = self._known(place, function, histories).candidates()
            text = f"{place.aws.home(function)}/{function}/{candidates}"
            name = f"prune:{sha256(text.encode()).hexdigest()}"
            if not candidates:
                self._tell(place, function, histories, "")
            if not candidates or self._left <= 0 or self._upkeep.settled(name):
                return
            done = self._visit(place, function, candidates)
            self._tell(place, function, histories, "")
        except RunError as error:
            log.warning("versions_not_pruned", function=function, error=str(error))
            done = not isinstance(error, PassingError)
            if done:
                self._tell(place, function, histories, str(error))
        if done and name:
            self._upkeep.settle(name, AGAIN_SECONDS)

    def _tell(self, place: Place, function: str, histories: Histories, why: str) -> None:
        """Have the environments that released a function say why its old versions stay, if so."""
        for one in place.environments:
            if not any(row.function == function for row in histories[one.name]):
                continue
            if why:
                self._book.note(one.name, function, why, self._mask)
            elif (one.name, function) in self._refused:
                self._book.clear(one.name, function)

    def _visit(self, place: Place, function: str, candidates: Sequence[Mark]) -> bool:
        """Whether there is nothing more to do about these versions for now."""
        found = {_mark(one): one for one in functions.versions(place.aws, function)}
        numbers = {mark.number for mark in found}
        for mark in candidates:
            if mark.number not in numbers:
                self._gone(place, function, mark, deleted=False)
        for mark in candidates:
            if mark in found and not self._delete(place, function, found[mark]):
                return False
        return True

    def _delete(self, place: Place, function: str, version: Version) -> bool:
        """Decide once more while no run can be at the function, then delete; False: not now."""
        if self._left <= 0:
            return False
        with self._upkeep.locked(_lock(place, function)) as ours:
            if not ours:
                return False
            known = self._known(place, function, self._histories())
            led_to = versions.pointed_at(place.aws, function)
            if version not in doomed(known, [version], led_to):
                return True
            versions.delete(place.aws, function, version.number)
            self._gone(place, function, _mark(version), deleted=True)
        self._left -= 1
        log.info(
            "version_deleted",
            function=function,
            version=version.number,
            commit=version.commit,
            sha256=version.sha256,
            bytes=version.size,
            region=place.aws.region,
            kept=sorted(known.needed.union(*led_to.values()), key=lambda one: (len(one), one)),
        )
        sleep(self._pause)
        return True

    def _gone(self, place: Place, function: str, mark: Mark, *, deleted: bool) -> None:
        names = [one.name for one in self._neighbours(place, function)]
        home = place.aws.home(function)
        self._upkeep.pruned(home, function, mark, names, deleted=deleted)


def _lock(place: Place, function: str) -> str:
    return keys.function_lock(place.aws.home(function), function)


def _there(rows: Sequence[Released], home: str) -> list[Released]:
    """What was released to one account and region, where the environment may have moved since."""
    return [row for row in rows if row.home in (None, home)]


def _mark(version: Version) -> Mark:
    return Mark(version.number, version.commit or "", version.sha256)
