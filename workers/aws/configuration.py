"""A function or one of its versions as GetFunction shows it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workers.aws.entry import Function
from workers.aws.faults import translated

if TYPE_CHECKING:
    from mypy_boto3_lambda.type_defs import FunctionConfigurationTypeDef

    from workers.aws.session import Aws

LATEST = "$LATEST"
COMMIT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")


@dataclass(frozen=True)
class State:
    """A function or version as GetFunction shows it."""

    sha256: str
    revision_id: str | None
    description: str
    pending: bool
    failure: tuple[str, str] | None
    entry: Function

    @classmethod
    def of(cls, config: FunctionConfigurationTypeDef) -> State:
        """What an answer of GetFunction says."""
        # What a stand-in or an old region leaves out counts as settled.
        failure = None
        if config.get("LastUpdateStatus") == "Failed":
            code, reason = "LastUpdateStatusReasonCode", "LastUpdateStatusReason"
            failure = (str(config.get(code, "")), str(config.get(reason, "")))
        elif config.get("State") == "Failed":
            failure = (str(config.get("StateReasonCode", "")), config.get("StateReason", ""))
        return cls(
            sha256=config.get("CodeSha256", ""),
            revision_id=config.get("RevisionId"),
            description=config.get("Description", ""),
            pending=config.get("LastUpdateStatus") == "InProgress"
            or config.get("State") == "Pending",
            failure=failure,
            entry=Function.of(config),
        )


def commit_of(description: str) -> str | None:
    """The commit that a description is, or None."""
    return description if COMMIT.fullmatch(description) else None


def read(aws: Aws, function: str, qualifier: str = LATEST) -> State:
    """A function's version, or what an alias leads to, as it is now.

    Raises:
        UserError: it doesn't exist.
    """
    # GetFunction has a quota of its own, 100 a second; GetFunctionConfiguration shares the 15.
    with translated(f"reading {function}", function=function, region=aws.region):
        if qualifier == LATEST:
            answer = aws.lambda_.get_function(FunctionName=function)
        else:
            answer = aws.lambda_.get_function(FunctionName=function, Qualifier=qualifier)
    return State.of(answer["Configuration"])
