"""Aliases: read, moved by compare-and-set, put back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workers.aws.faults import ChangedError, translated
from workers.aws.functions import version_commit
from workers.ledger.model.alias import Alias
from workers.ledger.model.errors import PassingError, RunError

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from mypy_boto3_lambda.type_defs import (
        AliasConfigurationResponseTypeDef,
        UpdateAliasRequestTypeDef,
    )

    from workers.aws.session import Aws

TRIES = 5


def read(aws: Aws, function: str, alias: str) -> Alias | None:
    """An alias with the commit of its version; None when there is no such alias.

    Raises:
        UserError: the function doesn't exist.
    """
    current = _get(aws, function, alias)
    if current is None:
        return None
    commit = version_commit(aws, function, current.version)
    return Alias(current.version, current.revision_id, current.weights, commit)


def stands(aws: Aws, function: str, alias: str, found: Alias | None) -> bool:
    """Whether an alias still has the version that `read` found, or still is not there.

    Asked by GetFunction, which has a quota of its own. What it can't see, such as other weights,
    `move` notices by the revision.
    """
    client = aws.lambda_
    with _translated(aws, function, alias, "looking for"):
        try:
            answer = client.get_function(FunctionName=function, Qualifier=alias)
        except client.exceptions.ResourceNotFoundException:
            return found is None
    return found is not None and answer["Configuration"]["Version"] == found.version


def move(aws: Aws, function: str, alias: str, version: str, expected: Alias | None) -> Alias:
    """Point an alias at a version, all of it; made when `expected` is None.

    `expected` is what `read` gave when the decision was taken.

    Raises:
        ChangedError: somebody else moved, made or removed it since; read and decide again.
        PassingError: out of reach; when in doubt it may have moved: `read` or `put_back` tell.
    """
    return steer(aws, function, alias, Alias(version, None), expected)


def steer(aws: Aws, function: str, alias: str, wanted: Alias, expected: Alias | None) -> Alias:
    """Give an alias a version and weights, as `move` gives it a version.

    Raises:
        ChangedError, PassingError: as `move`.
    """
    if expected is not None and expected.same(wanted):
        return expected
    try:
        return _write(aws, function, alias, wanted, expected)
    except PassingError as error:
        # botocore repeats a call whose answer was lost, and then we lose against ourselves.
        current = _look(aws, function, alias, error)
        if current is None or not current.same(wanted):
            raise
        return current


def look(aws: Aws, function: str, alias: str) -> Alias | None:
    """As `read`, without the commit, which costs a call."""
    return _get(aws, function, alias)


def put_back(  # noqa: PLR0913 - a move's places, and its two ends
    aws: Aws,
    function: str,
    alias: str,
    before: Alias | None,
    moved_to: str,
    *,
    confirm: Callable[[], None],
    seal: bool = False,
) -> bool:
    """Undo `move`, also one whose outcome is unknown; whether there was anything to undo.

    `before` is what `read` gave before the move, None for an alias that we made and remove now;
    `moved_to` is the version that the move wanted. What others moved since is left alone.
    `confirm` is asked between look and write, and raises what must stop it. With `seal`, a move
    that has not arrived yet never will.

    Raises:
        PassingError: out of reach, or others write to it all the time.
    """
    for attempt in range(TRIES):
        current = _get(aws, function, alias)
        confirm()
        # Weights don't count here: AWS adds its own for a while where concurrency is provisioned.
        moved = current is not None and current.version == moved_to
        try:
            if current and moved:
                return _undo(aws, function, alias, before, current)
            if current and seal:
                renew(aws, function, alias, current)
        except ChangedError:
            if attempt == TRIES - 1:
                raise
        else:
            return False
    return False


def _undo(aws: Aws, function: str, alias: str, before: Alias | None, current: Alias) -> bool:
    if before is None:
        remove(aws, function, alias)
    elif not before.same(current):
        _update(aws, function, alias, before, current.revision_id)
    else:
        return False
    return True


def renew(aws: Aws, function: str, alias: str, current: Alias) -> None:
    """Write an alias as it is, so that a move whose sender was lost on its way is refused.

    An alias's RevisionId "changes when you update the alias" (Lambda's API reference,
    AliasConfiguration). Where AWS refuses this write, it would refuse that move, too.

    Raises:
        ChangedError, PassingError: as `move`.
    """
    try:
        _update(aws, function, alias, current, current.revision_id)
    except PassingError:
        raise
    except RunError:
        return


def remove(aws: Aws, function: str, alias: str) -> None:
    """Take an alias away, which is how its creation is undone."""
    with _translated(aws, function, alias, "removing"):
        aws.lambda_.delete_alias(FunctionName=function, Name=alias)


def _get(aws: Aws, function: str, alias: str) -> Alias | None:
    client = aws.lambda_
    with _translated(aws, function, alias, "reading"):
        try:
            return _alias(client.get_alias(FunctionName=function, Name=alias))
        except client.exceptions.ResourceNotFoundException:
            # The alias is missing, or the whole function is: this second call tells.
            client.get_function(FunctionName=function)
            return None


def _look(aws: Aws, function: str, alias: str, error: PassingError) -> Alias | None:
    try:
        return _get(aws, function, alias)
    except PassingError:
        raise error from None


def _write(aws: Aws, function: str, alias: str, wanted: Alias, expected: Alias | None) -> Alias:
    if expected is not None:
        return _update(aws, function, alias, wanted, expected.revision_id)
    version = wanted.version
    with _translated(aws, function, alias, "creating"):
        return _alias(
            aws.lambda_.create_alias(FunctionName=function, Name=alias, FunctionVersion=version)
        )


def _update(aws: Aws, function: str, alias: str, wanted: Alias, revision_id: str | None) -> Alias:
    request: UpdateAliasRequestTypeDef = {
        "FunctionName": function,
        "Name": alias,
        "FunctionVersion": wanted.version,
        # Always said: the weights of an abandoned canary would stay otherwise.
        "RoutingConfig": {"AdditionalVersionWeights": dict(wanted.weights)},
    }
    if revision_id:
        request["RevisionId"] = revision_id
    with _translated(aws, function, alias, "moving"):
        return _alias(aws.lambda_.update_alias(**request))


def _alias(answer: AliasConfigurationResponseTypeDef) -> Alias:
    routing = answer.get("RoutingConfig") or {}
    weights = routing.get("AdditionalVersionWeights") or {}
    return Alias(answer["FunctionVersion"], answer.get("RevisionId"), dict(weights))


def _translated(aws: Aws, function: str, alias: str, doing: str) -> AbstractContextManager[None]:
    return translated(
        f"{function}: {doing} the alias {alias}", function=function, region=aws.region
    )
