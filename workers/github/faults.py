"""GitHub's refusals, translated: who must act, and when to ask again."""

import contextlib
import re
import time
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime

import requests
from github import BadAttributeException, GithubException

from config import trust
from config.masker import cut
from config.units import duration
from workers.ledger.model.errors import OurError, PassingError, RunError

# https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
SECONDARY_WAIT = 60.0
LONGEST_WAIT = 3600.0
LIMIT_WORDS = ("rate limit", "abuse detection", "wait a few minutes", "retry your request again")
PASSING = {408, 429}
# What GitHub may still come to know: its API is behind its webhooks by seconds, at times by more.
NOT_KNOWN_YET = re.compile(
    r"no commit found|not found|does ?n[o']t exist|could not be found", re.IGNORECASE
)
# What speaks of the body itself.
OF_THE_BODY = re.compile(
    r"validation failed|maximum number|problems parsing|invalid|is not|too long|supplied|schema",
    re.IGNORECASE,
)
SERVER_ERROR = 500


class RateLimitedError(PassingError):
    """GitHub asks for a pause of `retry_after` seconds, counted from the answer."""

    def __init__(self, text: str, retry_after: float) -> None:
        super().__init__(text)
        self.retry_after = retry_after


class UnknownCommitError(PassingError):
    """GitHub doesn't know the commit, or not yet."""


class RefusedError(OurError):
    """GitHub will never take exactly this: give it up."""


TURNS = {
    401: "GitHub doesn't accept the credentials: set GITHUB_TOKEN, or GITHUB_APP_ID and its "
    "private key, anew",
    403: "the credentials don't allow it: give the token, or the GitHub App, write access to "
    "commit statuses and webhooks of this repository",
    404: "the credentials don't see the repository: give the token access to it, or install the "
    "GitHub App on it, and check its name",
}


@contextlib.contextmanager
def translated(action: str) -> Iterator[None]:
    """Turn what PyGithub and requests raise into our errors; `action` says what failed."""
    try:
        yield
    except GithubException as error:
        raise fault(action, error.status, error.data, error.headers or {}) from None
    except requests.exceptions.InvalidHeader:
        # Its own text quotes the header, and with it the token.
        raise OurError(
            f"{action} failed: GITHUB_TOKEN holds characters that no token has"
        ) from None
    except requests.Timeout:
        raise PassingError(f"{action} failed: GitHub did not answer in time") from None
    except requests.RequestException as error:
        if why := trust.distrust(error):
            raise OurError(
                f"{action} failed: the certificate of the server at GITHUB_API_URL isn't trusted "
                f"here ({why}): {trust.TURN}"
            ) from None
        name = type(error).__name__
        raise PassingError(f"{action} failed: GitHub is out of reach ({name})") from None
    except (BadAttributeException, AssertionError, RuntimeError) as error:
        raise OurError(
            f"{action} failed: the server at GITHUB_API_URL doesn't answer as GitHub does "
            f"({type(error).__name__}); check GITHUB_API_URL"
        ) from None


def fault(action: str, status: int, data: object, headers: Mapping[str, str]) -> RunError:
    """The error for one refusal; header names in lower case."""
    said = _message(data)
    text = f"{action} failed: GitHub answered {status}{f' ({said})' if said else ''}"
    pause = _pause(status, said, headers)
    if pause is not None:
        return RateLimitedError(f"{text}; it asks for a pause of {duration(round(pause))}", pause)
    if status in PASSING or status >= SERVER_ERROR:
        return PassingError(text)
    if status == requests.codes.unprocessable:
        if _is_final(data, said):
            return RefusedError(text)
        return UnknownCommitError(f"{text}; it may not know the commit yet")
    return OurError(f"{text}: {TURNS.get(status, 'this needs a look at the repository on GitHub')}")


def _is_final(data: object, said: str) -> bool:
    """Whether a 422 speaks of the body that was sent, and of nothing that may yet turn up."""
    if NOT_KNOWN_YET.search(said):
        return False
    listed = isinstance(data, dict) and bool(data.get("errors"))
    return listed or OF_THE_BODY.search(said) is not None


def _pause(status: int, said: str, headers: Mapping[str, str]) -> float | None:
    """Seconds until GitHub wants to be asked again, None where it set no limit."""
    empty = headers.get("x-ratelimit-remaining") == "0"
    limited = empty or any(word in said.lower() for word in LIMIT_WORDS)
    if "retry-after" in headers and status in {403, 429, 503}:
        return _bounded(_seconds(headers["retry-after"]))
    if status not in {403, 429} or not (limited or status == requests.codes.too_many):
        return None
    reset = headers.get("x-ratelimit-reset", "")
    if empty and reset.isdigit():
        return _bounded(int(reset) - _now(headers) + 1)
    return SECONDARY_WAIT


def _bounded(seconds: float) -> float:
    return min(max(seconds, 1.0), LONGEST_WAIT)


def _seconds(value: str) -> float:
    return float(value) if value.isdigit() else SECONDARY_WAIT


def _now(headers: Mapping[str, str]) -> float:
    """GitHub's own clock, as far as it tells: ours may be wrong."""
    try:
        return parsedate_to_datetime(headers["date"]).timestamp()
    except (KeyError, ValueError):
        return time.time()


def _message(data: object) -> str:
    if not isinstance(data, dict):
        return ""
    parts = [data.get("message"), *(_detail(error) for error in data.get("errors") or ())]
    text = "; ".join(str(part) for part in parts if part)
    return cut(" ".join(text.split()), 300)


def _detail(error: object) -> object:
    if isinstance(error, dict):
        return error.get("message") or " ".join(
            str(error[key]) for key in ("field", "code") if error.get(key)
        )
    return error
