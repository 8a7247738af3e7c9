"""Tries a version before anybody is led to it."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

from workers.aws.faults import translated
from workers.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Callable

    from config.pipeline import Smoke
    from workers.aws.session import Aws
    from workers.run import Release

SHOWN = 300


def smoke(aws: Aws, release: Release, wanted: Smoke, say: Callable[[str], None]) -> None:
    """Invoke a version, and be content only with the expected status.

    The status is the answer's own `statusCode`, as API Gateway reads it, else the invocation's.
    The last 4 KB of the function's log go to `say`
    (https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html).

    Raises:
        UserError: the function failed, or answered something else.
        PassingError: AWS is out of reach.
    """
    function, version = release.function, release.version or ""
    with translated(
        f"{function}: invoking version {version}", function=function, region=aws.region
    ):
        answer = aws.lambda_.invoke(
            FunctionName=function,
            Qualifier=version,
            Payload=json.dumps(wanted.payload).encode(),
            LogType="Tail",
        )
        body = answer["Payload"].read().decode("utf-8", "replace")
    say(base64.b64decode(answer.get("LogResult", "")).decode("utf-8", "replace").rstrip("\n"))
    if answer.get("FunctionError"):
        raise UserError(f"smoke: {function} version {version} failed: {body[:SHOWN]}")
    status = _status(body, answer["StatusCode"])
    if status != wanted.expect:
        raise UserError(
            f"smoke: {function} version {version} answered {status} instead of {wanted.expect}: "
            f"{body[:SHOWN]}"
        )


def _status(body: str, invocation: int) -> int:
    try:
        answer = json.loads(body)
    except ValueError:
        return invocation
    status = answer.get("statusCode") if isinstance(answer, dict) else None
    return status if isinstance(status, int) else invocation
