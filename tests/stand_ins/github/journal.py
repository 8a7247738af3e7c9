"""What was asked of the stand-in, without the value of any credential in a header."""

import time
from dataclasses import dataclass, field

from flask import Request as FlaskRequest
from flask import Response

from tests.stand_ins.github.access import masked


@dataclass(frozen=True)
class Request:
    """One request; `url` is the raw target with its query, `at` is in seconds since 1970."""

    method: str
    path: str
    url: str
    headers: dict[str, str]
    status: int
    at: float = field(default_factory=time.time)


def record(asked: FlaskRequest, response: Response) -> Request:
    """The record of a request and its answer's status."""
    headers = dict(asked.headers)
    if "Authorization" in headers:
        headers["Authorization"] = masked(headers["Authorization"])
    url = str(asked.environ.get("RAW_URI", asked.full_path))
    return Request(asked.method, asked.path, url, headers, response.status_code)
