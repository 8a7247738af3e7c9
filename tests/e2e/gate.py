"""AWS behind a gate: a test holds single requests there, or shuts it for one function."""

import threading
from dataclasses import dataclass, field
from typing import Any

from tests.aws.strict import StrictAws
from tests.aws.wire import Answer, Request

MOVES = ("CreateAlias", "UpdateAlias")
PATIENCE = 60


@dataclass
class Hold:
    """One request to stop at the gate, before AWS has seen it or before its answer leaves."""

    operation: str
    about: str
    after: bool
    reached: threading.Event = field(default_factory=threading.Event)
    opened: threading.Event = field(default_factory=threading.Event)
    done: threading.Event = field(default_factory=threading.Event)
    cut: bool = False

    def wait(self) -> bool:
        """Stand still until a test opens it; whether the connection is to be cut then."""
        self.reached.set()
        self.opened.wait(PATIENCE)
        return self.cut

    def open(self, *, cut: bool = False) -> None:
        """Let the request go on, or cut it."""
        self.cut = cut
        self.opened.set()

    def arrive(self) -> None:
        """Let a request go on whose sender may be gone, and wait until AWS has answered it."""
        self.open()
        assert self.done.wait(PATIENCE), "AWS never answered"


class Gate(StrictAws):
    """The strict AWS; `moves` are the (function, alias, version) that really changed something."""

    def __init__(self, upstream: str) -> None:
        super().__init__(upstream)
        self.moves: list[tuple[str, str, str]] = []
        self.shut: set[str] = set()
        self.turned_away = 0
        self._holds: list[Hold] = []
        self._standing: list[Hold] = []
        self._live: dict[tuple[str, str], str] = {}

    def hold(self, operation: str, about: str, *, after: bool = False) -> Hold:
        """Stop the next call of an operation on a function, or on its objects in S3.

        "name:qualifier" means a call on that version or alias alone.
        """
        hold = Hold(operation, about, after)
        self._holds.append(hold)
        self._standing.append(hold)
        return hold

    def release(self) -> None:
        """Let everything go: after a test that failed, the others must not stand before a gate."""
        self._holds.clear()
        self.shut.clear()
        for hold in self._standing:
            hold.open()

    def answer(self, request: Request) -> Answer | None:
        """As AWS, but for what a test has ordered."""
        about = request.function or request.path.split("?")[0].split("/")[-2]
        if about in self.shut:
            self.turned_away += 1
            return None
        hold = self._due(request.operation, {about, f"{about}:{request.query.get('Qualifier')}"})
        if hold and not hold.after and hold.wait():
            return None
        answer = super().answer(request)
        if hold:
            hold.done.set()
        if hold and hold.after and hold.wait():
            return None
        return answer

    def _due(self, operation: str, about: set[str]) -> Hold | None:
        with self._lock:
            for hold in self._holds:
                if hold.operation == operation and hold.about in about:
                    self._holds.remove(hold)
                    return hold
        return None

    def _amended(self, request: Request, answer: Answer) -> Answer:
        if request.operation in MOVES and answer.status < 300:
            self._note(answer.json, request.function)
        return super()._amended(request, answer)

    def _note(self, alias: dict[str, Any], function: str) -> None:
        name, version = alias["Name"], alias["FunctionVersion"]
        if self._live.get((function, name)) != version:
            self._live[function, name] = version
            self.moves.append((function, name, version))
