"""The strict AWS, watched: who moved which alias when, and accidents at the n-th request."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.aws.strict import StrictAws
from tests.aws.wire import Answer, Request

HAND = "by hand"
MOVES = ("CreateAlias", "UpdateAlias", "DeleteAlias")
EFFECTS = {*MOVES, "CopyObject", "UpdateFunctionCode", "PublishVersion"}


@dataclass(frozen=True)
class Move:
    """One alias that changed: by which run (or by hand), from which version to which."""

    by: str
    function: str
    alias: str
    before: str | None
    after: str | None


@dataclass
class Accident:
    """What becomes of a request instead of, or `after`, what AWS does; and of those that follow.

    `left` is how many requests go well before it; `effects` counts those alone that change
    something; `strike` gives the answer, None for a broken connection.
    """

    left: int
    strike: Callable[[Request], Answer | None]
    after: bool = False
    effects: bool = False
    times: int = 1


class Watched(StrictAws):
    """`by` is the run that is being worked on; `moves` are the changes, in their order."""

    def __init__(self, upstream: str) -> None:
        super().__init__(upstream)
        self.by = HAND
        self.moves: list[Move] = []
        self.live: dict[tuple[str, str], str] = {}
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
        if not accident.after:
            return accident.strike(request)
        super().answer(request)
        return accident.strike(request)

    def _due(self, request: Request) -> Accident | None:
        with self._lock:
            accident = self._accident
            if accident is None or (accident.effects and request.operation not in EFFECTS):
                return None
            accident.left -= 1
            return accident if -accident.times <= accident.left < 0 else None

    def by_hand(self, function: str, alias: str, version: str | None, client: Any) -> None:
        """Somebody moves an alias in the console, or removes it."""
        with self._lock:
            self._aliases.pop((function, alias), None)
            if version is None:
                client.delete_alias(FunctionName=function, Name=alias)
            else:
                client.update_alias(FunctionName=function, Name=alias, FunctionVersion=version)
            self._note(HAND, function, alias, version)

    def _amended(self, request: Request, answer: Answer) -> Answer:
        if request.operation in MOVES and answer.status < 300:
            deleted = request.operation == "DeleteAlias"
            version = None if deleted else str(answer.json["FunctionVersion"])
            name = request.name or str(request.json.get("Name"))
            self._note(self.by, request.function, name, version)
        return super()._amended(request, answer)

    def _note(self, by: str, function: str, alias: str, version: str | None) -> None:
        before = self.live.pop((function, alias), None)
        if version is not None:
            self.live[function, alias] = version
        if before != version:
            move = Move(by, function, alias, before, version)
            self.moves.append(move)
            self.on_move(move)
