"""API Gateway: a stage for each environment, and permission for the API to invoke each alias.

The stage variable `environment` names the alias that the stage's integrations invoke. A fixed quota
of 10 calls a second holds for all of an account's API Gateway, so everything is read first and
written only if it differs.
"""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workers.aws.faults import ChangedError, InProgressError, MissingError, translated
from workers.ledger.model.errors import OurError

if TYPE_CHECKING:
    from collections.abc import Callable

    from workers.aws.session import Aws

VARIABLE = "environment"
"""The stage variable that stands for the alias in the API's integrations."""

PRINCIPAL = "apigateway.amazonaws.com"
ACTION = "lambda:InvokeFunction"
LONGEST_ID = 100
TRIES = 5
PAUSE = 1.0


@dataclass(frozen=True)
class Api:
    """A REST API and the environment's stage of it; `alias` is what the stage invokes."""

    id: str
    stage: str
    alias: str

    @property
    def statement_id(self) -> str:
        """The same for the same API, stage and alias, so that a repeat finds it."""
        plain = f"slipway-{self.id}-{self.stage}-{self.alias}"
        if len(plain) <= LONGEST_ID:
            return plain
        digest = hashlib.sha256(f"{self.stage}/{self.alias}".encode()).hexdigest()
        return f"slipway-{self.id}-{digest[:32]}"


def permit_alias(aws: Aws, api: Api, function: str) -> bool | None:
    """See that the API may invoke a function's alias; whether that had to be added.

    None when there is no such alias yet: a permission belongs to an alias that exists.

    Raises:
        OurError: a statement of our name allows something else.
        PassingError: out of reach, or the policy keeps changing.
    """
    if _permitted(aws, api, function):
        return False
    arn = _arn(aws, function, api.alias)
    if arn is None:
        return None
    try:
        with translated(f"{function}: permitting the API {api.id} to invoke {api.alias}"):
            aws.lambda_.add_permission(
                FunctionName=function,
                Qualifier=api.alias,
                StatementId=api.statement_id,
                Action=ACTION,
                Principal=PRINCIPAL,
                SourceArn=_source(arn, api),
            )
    except ChangedError:
        # Somebody was quicker, or botocore repeated a call whose answer was lost.
        if not _permitted(aws, api, function):
            raise
        return False
    return True


def prepare_stage(aws: Aws, api: Api, say: Callable[[str], None]) -> bool:
    """See that the stage exists and that its variable names the alias; whether anything changed.

    Other variables and settings of the stage are left alone.

    Raises:
        OurError: there is no such API, or it has no methods yet.
        PassingError: out of reach, or in others' hands for too long.
    """
    for attempt in range(TRIES):
        try:
            return _prepare_stage(aws, api, say)
        except (InProgressError, ChangedError):
            if attempt == TRIES - 1:
                raise
            time.sleep(PAUSE * (attempt + 1))
    raise AssertionError("the last try returns or raises")


def _permitted(aws: Aws, api: Api, function: str) -> bool:
    """Whether the alias's policy lets the whole API in, by our statement or another's."""
    for statement in _statements(aws, function, api.alias):
        if _lets_in(statement, api):
            return True
        if statement.get("Sid") == api.statement_id:
            raise OurError(
                f"{function}:{api.alias} has a statement {api.statement_id} that allows something "
                "else; the operator removes it (aws lambda remove-permission), then retries the run"
            )
    return False


def _statements(aws: Aws, function: str, alias: str) -> list[dict[str, Any]]:
    client = aws.lambda_
    with translated(f"{function}: reading the policy of {alias}", function=function):
        try:
            text = client.get_policy(FunctionName=function, Qualifier=alias)["Policy"]
        except client.exceptions.ResourceNotFoundException:
            return []
    statements: list[dict[str, Any]] = json.loads(text).get("Statement", [])
    return statements


def _lets_in(statement: dict[str, Any], api: Api) -> bool:
    principal = statement.get("Principal")
    service = principal.get("Service") if isinstance(principal, dict) else principal
    conditions = statement.get("Condition") or {}
    sources = [
        value
        for operator, terms in conditions.items()
        if operator in ("ArnLike", "StringLike")
        for key, value in terms.items()
        if key.lower() == "aws:sourcearn"
    ]
    whole = (f":{api.id}/*", f":{api.id}/*/*", f":{api.id}/*/*/*")
    return (
        statement.get("Effect") == "Allow"
        and service == PRINCIPAL
        and statement.get("Action") == ACTION
        and len(conditions) == 1
        and len(sources) == 1
        and str(sources[0]).endswith(whole)
        # moto keeps the policies of all aliases together, AWS each its own.
        and str(statement.get("Resource", "")).endswith(f":{api.alias}")
    )


def _arn(aws: Aws, function: str, alias: str) -> str | None:
    client = aws.lambda_
    with translated(f"reading {function}", function=function, region=aws.region):
        try:
            return client.get_alias(FunctionName=function, Name=alias)["AliasArn"]
        except client.exceptions.ResourceNotFoundException:
            return None


def _source(arn: str, api: Api) -> str:
    """The API's ARN, in the function's own partition, region and account."""
    _, partition, _, region, account, *_ = arn.split(":")
    return f"arn:{partition}:execute-api:{region}:{account}:{api.id}/*"


def _prepare_stage(aws: Aws, api: Api, say: Callable[[str], None]) -> bool:
    client = aws.apigateway
    try:
        with translated(f"reading the stage {api.stage} of the API {api.id}"):
            stage = client.get_stage(restApiId=api.id, stageName=api.stage)
    except MissingError:
        _create_stage(aws, api, say)
        return True
    changes = []
    if (stage.get("variables") or {}).get(VARIABLE) != api.alias:
        changes.append(("replace", f"/variables/{VARIABLE}", api.alias))
    if not stage.get("deploymentId"):
        changes.append(("replace", "/deploymentId", _deployment(aws, api, say)))
    if changes:
        with translated(f"changing the stage {api.stage} of the API {api.id}"):
            client.update_stage(
                restApiId=api.id,
                stageName=api.stage,
                patchOperations=[
                    dict(zip(("op", "path", "value"), c, strict=True)) for c in changes
                ],
            )
        say(f"stage {api.stage} of {api.id}: {VARIABLE} = {api.alias}")
    return bool(changes)


def _create_stage(aws: Aws, api: Api, say: Callable[[str], None]) -> None:
    deployment = _deployment(aws, api, say)
    with translated(f"creating the stage {api.stage} of the API {api.id}"):
        aws.apigateway.create_stage(
            restApiId=api.id,
            stageName=api.stage,
            deploymentId=deployment,
            variables={VARIABLE: api.alias},
        )
    say(f"stage {api.stage} of {api.id}: created, {VARIABLE} = {api.alias}")


def _deployment(aws: Aws, api: Api, say: Callable[[str], None]) -> str:
    """The API's newest deployment, made if it has none."""
    client = aws.apigateway
    found: list[dict[str, Any]] = []
    with translated(f"reading the deployments of the API {api.id}"):
        for page in client.get_paginator("get_deployments").paginate(restApiId=api.id):
            found += page.get("items", ())
    if found:
        return str(max(found, key=lambda one: one["createdDate"])["id"])
    with translated(f"deploying the API {api.id}"):
        made = client.create_deployment(restApiId=api.id, description="made by Slipway")
    say(f"API {api.id}: deployed for the first time")
    return str(made["id"])
