"""Old versions: what still leads to them, how much room they take, and taking one away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from workers.aws.faults import translated

if TYPE_CHECKING:
    from workers.aws.session import Aws


@dataclass(frozen=True)
class Storage:
    """Code storage of one account and region, in bytes: what is used of what there may be."""

    used: int
    limit: int

    @property
    def share(self) -> float:
        """How full it is, 0 to 1."""
        return self.used / self.limit if self.limit else 0.0


def pointed_at(aws: Aws, function: str) -> dict[str, frozenset[str]]:
    """The versions that each alias of a function leads to, whoever made it, weights included.

    Raises:
        UserError: the function doesn't exist.
    """
    found = {}
    with translated(f"listing the aliases of {function}", function=function, region=aws.region):
        pages = aws.lambda_.get_paginator("list_aliases")
        for page in pages.paginate(FunctionName=function):
            for alias in page["Aliases"]:
                weights = (alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
                found[alias["Name"]] = frozenset({alias["FunctionVersion"], *weights})
    return found


def delete(aws: Aws, function: str, version: str) -> None:
    """Delete one version; one that is gone already is fine.

    Raises:
        ValueError: `version` is no number: without one AWS would delete the whole function.
        ChangedError: something leads to it.
    """
    if not (version.isascii() and version.isdecimal()):
        raise ValueError(f"{version!r} is no number of a version of {function}")
    client = aws.lambda_
    with translated(f"deleting version {version} of {function}", region=aws.region):
        try:
            client.delete_function(FunctionName=function, Qualifier=version)
        except client.exceptions.ResourceNotFoundException:
            return


def storage(aws: Aws) -> Storage:
    """Code storage of the session's account and region."""
    with translated("reading the account's settings", region=aws.region):
        answer = aws.lambda_.get_account_settings()
    return Storage(answer["AccountUsage"]["TotalCodeSize"], answer["AccountLimit"]["TotalCodeSize"])
