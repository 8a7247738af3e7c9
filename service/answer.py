"""An answer in JSON, before it is Flask's or goes over the wire."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from flask import Response, request

from service.problems import PROBLEM, described
from service.web import TOLD


@dataclass(frozen=True, slots=True)
class Answer:
    """What a delivery gets; `told`: the log has a line about it."""

    status: int
    body: Mapping[str, object]
    kind: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    told: bool = False

    @property
    def text(self) -> str:
        """Its body as it is sent, a line."""
        return json.dumps(self.body) + "\n"


def refused(status: int, detail: str, headers: Mapping[str, str] | None = None) -> Answer:
    """A problem as an answer."""
    return Answer(status, described(status, detail), PROBLEM, headers or {})


def response(answer: Answer) -> Response:
    """An answer as Flask's, to the request at hand."""
    if answer.told:
        request.environ[TOLD] = True
    return Response(answer.text, answer.status, answer.headers, content_type=answer.kind)
