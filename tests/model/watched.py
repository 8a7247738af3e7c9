"""The strict AWS, watched: who moved which alias when, and accidents at the n-th request."""

from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from tests.aws.strict import StrictAws
from tests.aws.wire import Answer, Request

HAND = "by hand"
RUN = "X-Run"
"""The header of a worker that is a process of its own: the run that it is at."""

MOVES = ("CreateAlias", "UpdateAlias", "DeleteAlias")
EFFECTS = {*MOVES, "CopyObject", "UpdateFunctionCode", "PublishVersion"}
OF: dict[str, Collection[str]] = {"effect": EFFECTS, "move": MOVES}


@dataclass(frozen=True)
class Move:
    """One alias that changed: by which run (or by hand), from which version to which.

    `shared` is the version that it gives a share of the requests to, beside `after`.
    """

    by: str
    function: str
    alias: str
    before: str | None
    after: str | None
    shared: str | None = None

    @property
    def to(self) -> str | None:
        """The version that is new with it."""
        return self.shared or self.after


@dataclass
class Accident:
    """What becomes of a request instead of, or `after`, what AWS does; and of those that follow.

    `left` is how many requests `of` a kind go well before it: "effect" are those alone that change
    something; `strike` gives the answer, None for a broken connection. With an `over`, the request
    is only late: it goes on after the strike, and `over` is called when it was answered.
    """

    left: int
    strike: Callable[[Request], Answer | None]
    after: bool = False
    of: str = "aws"
    times: int = 1
    over: Callable[[], None] | None = None


class Watched(StrictAws):
    """`by` is the run that is being worked on; `moves` are the changes, in their order."""

    def __init__(self, upstream: str) -> None:
        super().__init__(upstream)
        self.by = HAND
        self.moves: list[Move] = []
        self.live: dict[tuple[str, str], str] = {}
        self.shared: dict[tuple[str, str], str] = {}
        self.built: Counter[str] = Counter()
        self.on_move: Callable[[Move], None] = lambda _: None
        self._accident: Accident | None = None

    def arm(self, accident: Accident) -> None:
        """Have an accident at the n-th of the next requests, or of those that change something."""
        with self._lock:
            self._accident = accident

    def calm(self) -> None:
        """No accident is ordered any more."""
        with self._lock:
            self._accident = None
            self._meanwhile.clear()

    def answer(self, request: Request) -> Answer | None:
        """As AWS, but for the request that an accident is ordered for."""
        accident = self._due(request)
        if accident is None:
            return super().answer(request)
        if accident.over:
            return self._late(request, accident, accident.over)
        if not accident.after:
            return accident.strike(request)
        super().answer(request)
        return accident.strike(request)

    def _late(
        self, request: Request, accident: Accident, over: Callable[[], None]
    ) -> Answer | None:
        try:
            if not accident.after:
                accident.strike(request)
            answer = super().answer(request)
            if accident.after:
                accident.strike(request)
            return answer
        finally:
            over()

    def _due(self, request: Request) -> Accident | None:
        with self._lock:
            accident = self._accident
            if accident is None or request.operation not in OF.get(
                accident.of, {request.operation}
            ):
                return None
            accident.left -= 1
            return accident if -accident.times <= accident.left < 0 else None

    def forget(self) -> None:
        """A new story begins."""
        self.calm()
        for known in (self.moves, self.live, self.shared, self.built):
            known.clear()

    def by_hand(self, function: str, alias: str, version: str | None, client: Any) -> None:
        """Somebody moves an alias in the console, or removes it."""
        with self._lock:
            self._aliases.pop((function, alias), None)
            if version is None:
                client.delete_alias(FunctionName=function, Name=alias)
            else:
                client.update_alias(
                    FunctionName=function, Name=alias, FunctionVersion=version, RoutingConfig={}
                )
            self._note(HAND, function, alias, version)

    def _amended(self, request: Request, answer: Answer) -> Answer:
        by = request.headers.get(RUN) or self.by
        if request.operation in EFFECTS - {*MOVES}:
            self.built[by] += 1
        if request.operation in MOVES and answer.status < 300:
            deleted = request.operation == "DeleteAlias"
            version = None if deleted else str(answer.json["FunctionVersion"])
            name = request.name or str(request.json.get("Name"))
            self._note(by, request.function, name, version, _shared(request))
        return super()._amended(request, answer)

    def _note(
        self, by: str, function: str, alias: str, version: str | None, shared: str | None = None
    ) -> None:
        place = (function, alias)
        before, shared_before = self.live.pop(place, None), self.shared.pop(place, None)
        if version is not None:
            self.live[place] = version
        if shared is not None:
            self.shared[place] = shared
        if (before, shared_before) != (version, shared):
            move = Move(by, function, alias, before, version, shared)
            self.moves.append(move)
            self.on_move(move)


def _shared(request: Request) -> str | None:
    """The version that gets a share beside the one that the alias points to."""
    if request.operation == "DeleteAlias":
        return None
    weights = (request.json.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
    return next(iter(weights), None)
