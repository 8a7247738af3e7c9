"""Statuses: one request each, and every refusal translated without a pause inside the call."""

import http.client
import logging
import time
from typing import Any

import pytest

from tests.github.conftest import NAME
from tests.stand_ins.github import TOKEN, GitHub
from workers.github import statuses
from workers.github.client import GitHub as Client
from workers.github.faults import RateLimitedError, RefusedError, UnknownCommitError, fault
from workers.github.statuses import shortened
from workers.ledger.model.errors import OurError, PassingError

PATH = "/statuses/"


def post(client: Client, sha: str, **more: Any) -> None:
    """Post a status."""
    given = {"context": "slipway/test", "state": "pending", "description": "Testing"} | more
    statuses.post(client, NAME, sha, **given)


def test_a_status_takes_exactly_one_request(hub: GitHub, client: Client, sha: str) -> None:
    """Nothing is asked before or after, and what is posted arrives."""
    post(client, sha, target_url="https://slipway.example/runs/1")
    (request,) = hub.requests
    assert (request.method, request.path) == ("POST", f"/repos/{NAME}/statuses/{sha}")
    status = hub.latest(NAME, sha)["slipway/test"]
    assert (status.state, status.description) == ("pending", "Testing")
    assert status.target_url == "https://slipway.example/runs/1"


def test_statuses_in_a_row_wait_for_nothing(hub: GitHub, client: Client, sha: str) -> None:
    """Pacing is not the client's: ten statuses take no second each."""
    began = time.monotonic()
    for number in range(10):
        post(client, sha, context=f"slipway/{number}")
    assert time.monotonic() - began < 2
    assert len(hub.latest(NAME, sha)) == 10


@pytest.mark.parametrize(
    "description",
    ["x" * 1000, "a 🎬 emoji", "two\nlines\r\n", "ü" * 141, "x" * 140, "", "\0\x1b[31m"],
)
def test_any_description_is_made_fit(
    hub: GitHub, client: Client, sha: str, description: str
) -> None:
    """GitHub takes 140 characters of plane 0 on one line; whatever is given becomes that."""
    post(client, sha, description=description)
    kept = hub.latest(NAME, sha)["slipway/test"].description
    assert kept == shortened(description)


def test_a_long_description_ends_with_an_ellipsis() -> None:
    """What is cut shows it; what fits is left alone."""
    assert shortened("x" * 141) == "x" * 139 + "…"
    assert shortened("x" * 140) == "x" * 140
    assert shortened(" a\n 🎬 ") == "a ?"


@pytest.mark.parametrize(
    ("answer", "pause"),
    [
        ({"status": 429, "headers": {"Retry-After": "7"}}, 7),
        ({"status": 403, "headers": {"Retry-After": "90"}}, 90),
        ({"status": 503, "headers": {"Retry-After": "5"}}, 5),
        ({"status": 429, "headers": {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}}, 60),
        ({"status": 429, "headers": {"Retry-After": "999999"}}, 3600),
        ({"status": 429}, 60),
        ({"status": 403, "body": {"message": "You have exceeded a secondary rate limit."}}, 60),
        (
            {
                "status": 403,
                "body": {"message": "API rate limit exceeded for user ID 1."},
                "headers": {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "in 600 s"},
            },
            601,
        ),
    ],
)
def test_a_rate_limit_says_how_long_and_never_sleeps(
    hub: GitHub, client: Client, sha: str, answer: dict[str, Any], pause: float
) -> None:
    """A limit is a passing fault with its pause, told at once and after a single request."""
    headers = answer.get("headers", {})
    if "X-RateLimit-Reset" in headers:
        # Now, not when the tests were collected: that may be a quarter of an hour ago.
        reset = str(int(time.time()) + 600)
        answer = {**answer, "headers": {**headers, "X-RateLimit-Reset": reset}}
    hub.fail_next("POST", PATH, **answer)
    began = time.monotonic()
    with pytest.raises(RateLimitedError) as caught:
        post(client, sha)
    assert time.monotonic() - began < 1
    assert pause - 120 <= caught.value.retry_after <= pause
    assert caught.value.retry_after == pause or pause > 600
    assert len(hub.requests) == 1
    post(client, sha)


def test_the_reset_is_measured_by_githubs_clock() -> None:
    """A wrong clock of ours changes nothing."""
    headers = {
        "x-ratelimit-remaining": "0",
        "x-ratelimit-reset": "1000000100",
        "date": "Sun, 09 Sep 2001 01:46:40 GMT",
    }
    error = fault("posting", 403, {"message": "API rate limit exceeded"}, headers)
    assert isinstance(error, RateLimitedError)
    assert error.retry_after == 101


@pytest.mark.parametrize(
    "answer",
    [
        {"status": 500},
        {"status": 502, "body": b"<html>Bad Gateway</html>"},
        {"status": 503},
        {"status": 504, "body": b""},
        {"drop_connection": True},
    ],
)
def test_githubs_trouble_passes(
    hub: GitHub, client: Client, sha: str, answer: dict[str, Any]
) -> None:
    """A 5xx or a cut connection is a passing fault without a pause of its own, tried once."""
    hub.fail_next("POST", PATH, **answer)
    with pytest.raises(PassingError) as caught:
        post(client, sha)
    assert not isinstance(caught.value, RateLimitedError)
    assert len(hub.requests) <= 1
    post(client, sha)


def test_nobody_there_passes(sha: str) -> None:
    """A refused connection is a passing fault."""
    with pytest.raises(PassingError, match="out of reach"):
        post(Client("http://127.0.0.1:9", token=TOKEN), sha)


def test_silence_ends_in_time(hub: GitHub, sha: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that doesn't answer is given up after the timeout."""
    monkeypatch.setattr("workers.github.client.TIMEOUT", 1)
    hub.fail_next("POST", PATH, status=None, delay=3)
    began = time.monotonic()
    with pytest.raises(PassingError, match="in time"):
        post(Client(hub.api_url, token=TOKEN), sha)
    assert time.monotonic() - began < 2.5


@pytest.mark.parametrize(
    ("status", "says"), [(401, "GITHUB_TOKEN"), (403, "write access"), (404, "check its name")]
)
def test_a_refusal_says_what_to_do(
    hub: GitHub, client: Client, sha: str, status: int, says: str
) -> None:
    """Credentials that don't suffice are the operator's turn."""
    hub.fail_next("POST", PATH, status=status, body={"message": "No"})
    with pytest.raises(OurError, match=says) as caught:
        post(client, sha)
    assert not isinstance(caught.value, RefusedError)


def test_a_wrong_token_is_not_repeated(hub: GitHub, sha: str) -> None:
    """The error names the variable and keeps its value to itself."""
    with pytest.raises(OurError, match="GITHUB_TOKEN") as caught:
        post(Client(hub.api_url, token="wrong-token"), sha)
    assert "wrong-token" not in str(caught.value)


def test_a_token_that_fits_no_header_is_not_repeated(hub: GitHub, sha: str) -> None:
    """A token with a line break in it is refused without being shown."""
    with pytest.raises(OurError, match="characters that no token has") as caught:
        post(Client(hub.api_url, token="one\ntwo"), sha)
    assert "two" not in str(caught.value)


def test_without_credentials_there_is_an_error(hub: GitHub, sha: str) -> None:
    """Nothing configured: the error names what to set, and nothing is sent."""
    client = Client(hub.api_url)
    assert not client.configured
    with pytest.raises(OurError, match="set GITHUB_TOKEN"):
        post(client, sha)
    assert hub.requests == []


def test_what_github_never_takes_is_given_up(hub: GitHub, client: Client, sha: str) -> None:
    """One status too many is final."""
    for _ in range(1000):
        hub.add_status(NAME, sha, "pending", "slipway/test")
    with pytest.raises(RefusedError, match="maximum number of statuses"):
        post(client, sha)


def test_a_commit_that_github_does_not_know_may_turn_up(
    hub: GitHub, client: Client, sha: str
) -> None:
    """Its API is behind its webhooks: to be asked again, and no pause is kept for it."""
    with pytest.raises(UnknownCommitError, match="No commit found"):
        post(client, "ab" * 20)
    post(client, sha)


@pytest.mark.parametrize(
    ("data", "final"),
    [
        ({"message": "No commit found for SHA: abab"}, False),
        ({"message": "No commit found for the ref refs/heads/develop"}, False),
        ({"message": "Validation Failed", "errors": ["No commit found for SHA: abab"]}, False),
        (
            {
                "message": "Validation Failed",
                "errors": [{"field": "sha", "message": "could not be found"}],
            },
            False,
        ),
        ({"message": "The repository is being moved, come back later."}, False),
        ({"message": ""}, False),
        ([], False),
        ("This SHA and context has reached the maximum number of statuses.", False),
        ({"message": "This SHA and context has reached the maximum number of statuses."}, True),
        ({"message": "Validation Failed", "errors": [{"field": "context", "code": "x"}]}, True),
        ({"message": "Validation Failed", "errors": ["Description is too long"]}, True),
        ({"message": 'Invalid request.\n\n"state" wasn\'t supplied.'}, True),
        ({"errors": [{"resource": "Hook", "message": "Hook already exists"}]}, True),
    ],
)
def test_only_what_speaks_of_the_body_is_final(data: Any, final: bool) -> None:
    """Any other 422 may be answered otherwise in a while."""
    error = fault("setting it", 422, data, {})
    assert isinstance(error, RefusedError) is final
    assert isinstance(error, PassingError) is not final


@pytest.mark.parametrize("status", [301, 307, 308])
def test_a_renamed_repository_is_followed(
    hub: GitHub, client: Client, sha: str, status: int
) -> None:
    """A redirect on the same host carries the status to the repository's new name."""
    place = f"{hub.api_url}/repos/{NAME}/statuses/{sha}"
    hub.fail_next("POST", "/repos/old/name/", status=status, headers={"Location": place})
    statuses.post(
        client, "old/name", sha, context="slipway/test", state="success", description="Done"
    )
    assert hub.latest(NAME, sha)["slipway/test"].state == "success"


@pytest.mark.parametrize(
    ("status", "place"),
    [
        (301, "http://localhost:{port}/x"),
        (307, "http://localhost:{port}/x"),
        (307, "/x"),
        (200, ""),
    ],
)
def test_an_answer_that_is_not_githubs_is_no_success(
    hub: GitHub, client: Client, sha: str, status: int, place: str
) -> None:
    """A redirect elsewhere, or a page instead of a created status, is an error."""
    port = hub.url.rpartition(":")[2]
    location = {"Location": place.format(port=port)} if place else {}
    hub.fail_next("POST", PATH, status=status, headers=location, body=b"<html>")
    with pytest.raises(OurError):
        post(client, sha)
    assert not [one for one in hub.requests if one.headers["Host"].startswith("localhost")]


@pytest.mark.parametrize("name", ["x", "a/b/c", "../x", "x/..", "a/b?x", "a/b\n", ""])
def test_odd_repository_names_are_refused(hub: GitHub, client: Client, sha: str, name: str) -> None:
    """Nothing but OWNER/NAME gets into a path."""
    with pytest.raises(OurError, match="OWNER/NAME"):
        statuses.post(client, name, sha, context="c", state="error", description="d")
    with pytest.raises(OurError, match="no commit id"):
        post(client, "../../x")
    assert hub.requests == []


def test_connections_are_kept(
    hub: GitHub, client: Client, sha: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All requests of a client share its connections."""
    opened: list[object] = []
    connect = http.client.HTTPConnection.connect

    def counted(self: http.client.HTTPConnection) -> None:
        opened.append(self)
        connect(self)

    monkeypatch.setattr(http.client.HTTPConnection, "connect", counted)
    for _ in range(3):
        post(client, sha)
    assert len(opened) <= 3


def test_debug_logs_hold_no_secret(
    client: Client, sha: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Not even with logging at DEBUG does the token get into a log."""
    caplog.set_level(logging.DEBUG)
    post(client, sha)
    assert TOKEN not in caplog.text
