"""Whose account the keys of a session belong to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import structlog
from botocore.config import Config

from workers.aws.faults import translated
from workers.ledger.model.errors import RunError

if TYPE_CHECKING:
    import boto3
    from mypy_boto3_lambda import LambdaClient

log = structlog.get_logger()

UNKNOWN = "own"
QUICK = Config(retries={"total_max_attempts": 2}, connect_timeout=2, read_timeout=3)


def account_of(session: boto3.session.Session, endpoint_url: str | None) -> str:
    """The account's number, asked of STS if the keys don't say; "own" where nobody tells.

    GetCallerIdentity needs no permission (API reference of AWS STS).
    """
    credentials = session.get_credentials()
    known = credentials.get_frozen_credentials().account_id if credentials else None
    if known:
        return known
    make: Any = session.client
    try:
        with translated("asking whose the AWS keys are"):
            client = make("sts", endpoint_url=endpoint_url, config=QUICK)
            return str(client.get_caller_identity()["Account"])
    except RunError as error:
        log.warning("account_unknown", error=str(error))
        return UNKNOWN


def account_with(client: LambdaClient, function: str) -> str:
    """The account that a function is in, as its ARN says, by a call that has its own quota.

    Raises:
        UserError: the function doesn't exist.
    """
    with translated(f"asking whose {function} is", function=function):
        answer = client.get_function(FunctionName=function)
    return answer["Configuration"]["FunctionArn"].split(":")[4]
