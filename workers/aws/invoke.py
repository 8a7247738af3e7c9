"""Tries a version before anybody is led to it."""

from __future__ import annotations

import base64
import json
from concurrent.futures import Future, wait
from threading import Thread
from typing import TYPE_CHECKING, TypeVar

from botocore.exceptions import ReadTimeoutError

from config.masker import cut
from config.units import duration
from workers.aws.faults import translated
from workers.ledger.model.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_lambda.type_defs import InvocationResponseTypeDef

    from config.pipeline import Smoke
    from workers.aws.session import Aws
    from workers.ledger.model.run import Release

SHOWN = 300
TICK = 0.5
"""Seconds between two looks at the watch."""

T = TypeVar("T")


def smoke(
    aws: Aws,
    release: Release,
    wanted: Smoke,
    say: Callable[[str], None],
    watch: Callable[[], None] = lambda: None,
) -> None:
    """Invoke a version, once, and be content only with the expected status.

    `watch` is asked while the function runs, and raises to stop waiting for it.

    The status is the answer's own `statusCode`, as API Gateway reads it, else the invocation's.
    The last 4 KB of the function's log go to `say`
    (https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html).

    Raises:
        UserError: the function failed, answered something else, or did not answer in time.
        PassingError: AWS is out of reach.
    """
    function, version = release.function, release.version or ""
    with translated(
        f"{function}: invoking version {version}", function=function, region=aws.region
    ):
        answer, body = _watched(lambda: _invoke(aws, release, wanted), watch)
    say(base64.b64decode(answer.get("LogResult", "")).decode("utf-8", "replace").rstrip("\n"))
    if answer.get("FunctionError"):
        raise UserError(f"smoke: {function} version {version} failed: {cut(body, SHOWN)}")
    status = _status(body, answer["StatusCode"])
    if status != wanted.expect:
        raise UserError(
            f"smoke: {function} version {version} answered {status} instead of {wanted.expect}: "
            f"{cut(body, SHOWN)}"
        )


def _invoke(aws: Aws, release: Release, wanted: Smoke) -> tuple[InvocationResponseTypeDef, str]:
    try:
        answer = aws.invoker.invoke(
            FunctionName=release.function,
            Qualifier=release.version or "",
            Payload=json.dumps(wanted.payload).encode(),
            LogType="Tail",
        )
        return answer, answer["Payload"].read().decode("utf-8", "replace")
    except ReadTimeoutError:
        raise UserError(
            f"smoke: {release.function} version {release.version} gave no answer within "
            f"{duration(aws.invocation)}; it was invoked once and is not invoked again: "
            "let `payload` ask for something quicker"
        ) from None


def _watched(call: Callable[[], T], watch: Callable[[], None]) -> T:
    """The call's result; once `watch` raises, nobody waits for it any more.

    An invocation can't be taken back: its thread is left behind, and keeps no process from ending.
    """
    future: Future[T] = Future()

    def work() -> None:
        try:
            future.set_result(call())
        except Exception as error:  # noqa: BLE001 - raised again where the result is wanted
            future.set_exception(error)

    Thread(target=work, name="invocation", daemon=True).start()
    while not wait((future,), TICK).done:
        watch()
    return future.result()


def _status(body: str, invocation: int) -> int:
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return invocation
    status = answer.get("statusCode") if isinstance(answer, dict) else None
    return status if isinstance(status, int) else invocation
