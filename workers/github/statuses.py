"""Commit statuses: one request each."""

import json
import re
from typing import Any, Literal
from urllib.parse import urlsplit

import github
import requests
from github.Requester import Requester

from workers.github.client import GitHub
from workers.ledger.model.errors import OurError

State = Literal["pending", "success", "failure", "error"]

LONGEST = 140
REDIRECTS = {302, 307, 308}
SHA = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


def post(  # noqa: PLR0913 - a status has this many parts
    hub: GitHub,
    repository: str,
    sha: str,
    *,
    context: str,
    state: State,
    description: str,
    target_url: str | None = None,
) -> None:
    """Put a status on a commit (https://docs.github.com/en/rest/commits/statuses).

    Raises:
        RefusedError: GitHub will never take it, such as too many of this context.
        OurError: no credentials, or they don't suffice.
        PassingError: GitHub is out of reach; RateLimitedError says for how long.
        UnknownCommitError: GitHub doesn't know the commit, or not yet.
    """
    if not SHA.fullmatch(sha):
        raise OurError(f"{sha!r} is no commit id")
    body = {"state": state, "context": context, "description": shortened(description)}
    if target_url:
        body["target_url"] = target_url

    def send(client: github.Github) -> None:
        _send(client.requester, f"/repos/{repository}/statuses/{sha}", body)

    hub.call(repository, f"setting {context} to {state} on {repository}", send)


def shortened(description: str) -> str:
    """What GitHub takes: one line of 140 characters, none of them outside of Unicode's plane 0."""
    line = " ".join("".join(c if c <= "\uffff" else "?" for c in description).split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1].rstrip()}…"


def _send(requester: Requester, path: str, body: dict[str, str]) -> None:
    """POST, following a renamed repository's redirect, which PyGithub would take for success."""
    status, headers, output = requester.requestJson("POST", path, input=body)
    location = urlsplit(headers.get("location", ""))
    if status in REDIRECTS and location.hostname == requester.hostname:
        status, headers, output = requester.requestJson("POST", location.geturl(), input=body)
    if status != requests.codes.created:
        raise requester.createException(status, headers, _decoded(output))


def _decoded(output: str) -> dict[str, Any]:
    try:
        data = json.loads(output)
    except ValueError:
        return {}
    return data if isinstance(data, dict) else {}
