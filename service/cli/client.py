"""The JSON API as the `slipway` command asks it; what goes wrong is told in a sentence."""

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

import click
import requests
from pydantic import ValidationError
from urllib3.exceptions import HTTPError

from config import trust
from config.log_text import FOLLOW_HEADER
from config.settings.client import ClientSettings
from config.values import first
from service.cli.events import Event, events

TIMEOUT = (5, 30)
SILENCE = (5, 40)
RECENT = 200
CHUNK_BYTES = 64 * 1024
_NO_EVENTS = (404, 405, 501, 503)
_WHOLE = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_PREFIX = re.compile(r"[0-9a-f-]{1,36}")


class AwayError(click.ClickException):
    """Slipway can't be reached, or not now."""


class NoEventsError(Exception):
    """This Slipway has no live events, or none now: ask it again and again instead."""


class _Bearer(requests.auth.AuthBase):
    """Set as authentication, not as a header: a netrc file would replace a header."""

    def __init__(self, token: str | None) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._token:
            request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class Client:
    """One Slipway.

    Every method raises click.ClickException with what went wrong and what to do, AwayError if
    asking again may help.
    """

    def __init__(self, chosen: ClientSettings) -> None:
        self._url = chosen.url
        self._has_token = chosen.bearer is not None
        self._session = trust.session(chosen.ca_bundle)
        self._session.auth = _Bearer(chosen.bearer)
        self._session.headers["Accept"] = "application/json"

    @classmethod
    def from_environment(cls) -> "Client":
        """The Slipway that the environment names."""
        try:
            return cls(ClientSettings())
        except ValidationError as error:
            raise click.ClickException(first(error)) from None

    def runs(self, **filters: str | int | None) -> dict[str, Any]:
        """A page of runs, newest first, as the API gives it."""
        return self._json(self._ask("GET", "/runs", {k: v for k, v in filters.items() if v}))

    def run(self, run_id: str) -> dict[str, Any]:
        """One run."""
        return self._json(self._ask("GET", f"/runs/{run_id}"))

    def log(self, run_id: str, after: str = "") -> tuple[str, str]:
        """The log's text after a cursor, and the next cursor."""
        answer = self._ask("GET", f"/runs/{run_id}/log", {"after": after})
        return answer.content.decode(errors="replace"), answer.headers.get(FOLLOW_HEADER, after)

    def whole_log(self, run_id: str) -> Iterator[str]:
        """The log's text as it comes, by whole lines; of an ended run all that it ever said."""
        options = {"stream": True, "timeout": SILENCE}
        with self._send("GET", f"/runs/{run_id}/log", **options) as answer:
            if answer.status_code >= requests.codes.multiple_choices:
                raise self._refusal(answer)
            rest = b""
            try:
                for data in answer.iter_content(CHUNK_BYTES):
                    whole, newline, rest = (rest + data).rpartition(b"\n")
                    yield (whole + newline).decode(errors="replace")
            except (requests.RequestException, HTTPError, OSError):
                raise AwayError(f"Slipway at {self._url} has cut the connection.") from None
            yield rest.decode(errors="replace")

    def events(self, run_id: str, last: str = "") -> Iterator[Event]:
        """A run's events after the one with the id `last`, until the connection ends.

        Raises:
            NoEventsError: an older Slipway, or one where as many follow as may.
        """
        headers = {"Accept": "text/event-stream", "Accept-Encoding": "identity"}
        headers |= {"Last-Event-ID": last} if last else {}
        options = {"headers": headers, "stream": True, "timeout": SILENCE}
        with self._send("GET", f"/runs/{run_id}/events", **options) as answer:
            if answer.status_code in _NO_EVENTS:
                raise NoEventsError
            if answer.status_code >= requests.codes.multiple_choices:
                raise self._refusal(answer)
            if not answer.headers.get("Content-Type", "").startswith("text/event-stream"):
                raise self._stranger()
            try:
                yield from events(answer.raw.read1)
            except (requests.RequestException, HTTPError, OSError):
                raise AwayError(f"Slipway at {self._url} has cut the connection.") from None
            except ValueError:
                raise self._stranger() from None

    def cancel(self, run_id: str) -> str:
        """Ask for a run's end; the state that it is in now, or `asked`."""
        return str(self._json(self._ask("POST", f"/runs/{run_id}/cancel"))["state"])

    def decide(self, run_id: str, verdict: str, word: dict[str, str]) -> int:
        """Approve or reject what waits; how many approvals are missing after it."""
        answer = self._json(self._ask("POST", f"/runs/{run_id}/{verdict}", body=word))
        return int(answer.get("missing", 0))

    def retry(self, run_id: str) -> str:
        """Run an order once more; the id of its new run."""
        return str(self._json(self._ask("POST", f"/runs/{run_id}/retry"))["run_id"])

    def operate(self, environment: str, verb: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Roll an environment back, lock or unlock it; what the API answers."""
        place = quote(environment, safe="")
        return self._json(self._ask("POST", f"/environments/{place}/{verb}", body=body))

    def environment(self, name: str, *, refresh: bool = False) -> dict[str, Any]:
        """One environment; with `refresh` a worker is asked to look first."""
        query: dict[str, str | int] = {"refresh": "1"} if refresh else {}
        return self._json(self._ask("GET", f"/environments/{quote(name, safe='')}", query))

    def environments(self) -> list[str]:
        """The names of the operator's environments."""
        found = self._json(self._ask("GET", "/environments"))["environments"]
        return [str(one["name"]) for one in found]

    def releases(self, environment: str, limit: int) -> list[dict[str, Any]]:
        """What was made live in an environment, newest first."""
        path = f"/environments/{quote(environment, safe='')}/releases"
        found: list[dict[str, Any]] = self._json(self._ask("GET", path, {"limit": limit}))[
            "releases"
        ]
        return found

    def take_over(self, repository: str, environment: str | None) -> dict[str, Any]:
        """Move what a repository was refused to it; what the API answers."""
        body = {"repository": repository} | ({"environment": environment} if environment else {})
        return self._json(self._ask("POST", "/releases/take-over", body=body))

    def find(self, given: str) -> str:
        """The id of the run that is meant: the whole id, or how one recent run's id begins."""
        start = given.lower()
        if _WHOLE.fullmatch(start):
            return start
        if not _PREFIX.fullmatch(start):
            raise click.ClickException(f"{given[:50]!r} is no run's id; `slipway runs` lists them.")
        recent = [str(run["id"]) for run in self.runs(limit=RECENT)["runs"]]
        found = [run_id for run_id in recent if run_id.startswith(start)]
        if not found:
            raise click.ClickException(
                f"None of the last {RECENT} runs has an id that begins with {start}; "
                "`slipway runs` lists them."
            )
        if len(found) > 1:
            some = ", ".join(found[:5])
            raise click.ClickException(f"{len(found)} runs begin with {start}: {some} …; say more.")
        return found[0]

    def _ask(
        self,
        method: str,
        path: str,
        query: dict[str, str | int] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> requests.Response:
        answer = self._send(method, path, params=query, json=body)
        if answer.status_code >= requests.codes.multiple_choices:
            raise self._refusal(answer)
        return answer

    def _send(self, method: str, path: str, **options: Any) -> requests.Response:  # noqa: ANN401 - requests' own
        options = {"timeout": TIMEOUT} | options
        try:
            address = f"{self._url}/api/v1{path}"
            return self._session.request(method, address, allow_redirects=False, **options)
        except requests.Timeout:
            raise AwayError(f"Slipway at {self._url} does not answer in time.") from None
        except requests.ConnectionError as error:
            if why := trust.distrust(error):
                raise click.ClickException(
                    f"The certificate of {self._url} isn't trusted here ({why}): name the file of "
                    f"its authority's certificate in {trust.VARIABLE}."
                ) from None
            raise AwayError(
                f"There is no Slipway at {self._url}: start it, or set SLIPWAY_URL to where it is."
            ) from None
        except (requests.RequestException, ValueError) as error:
            raise click.ClickException(
                f"Slipway can't be asked at {self._url} ({type(error).__name__}): "
                "check SLIPWAY_URL and SLIPWAY_TOKEN."
            ) from None

    def _refusal(self, answer: requests.Response) -> click.ClickException:
        code = answer.status_code
        if code == requests.codes.unauthorized:
            why = "refuses the token" if self._has_token else "asks for a token"
            return click.ClickException(
                f"Slipway at {self._url} {why}: set SLIPWAY_TOKEN to one of its SLIPWAY_API_TOKENS "
                "(the part after the colon)."
            )
        if answer.is_redirect:
            place = answer.headers.get("Location", "")
            return click.ClickException(
                f"{self._url} leads on to {place[:200]!r}: set SLIPWAY_URL to where Slipway is."
            )
        detail = _detail(answer)
        if detail is None and code < requests.codes.internal_server_error:
            return self._stranger()
        text = f"Slipway at {self._url}: {detail or f'it failed with {code}; ask its operator.'}"
        away = code >= requests.codes.internal_server_error
        return AwayError(text) if away else click.ClickException(text)

    def _json(self, answer: requests.Response) -> dict[str, Any]:
        try:
            body = answer.json()
        except requests.JSONDecodeError:
            raise self._stranger() from None
        if not isinstance(body, dict):
            raise self._stranger()
        return body

    def _stranger(self) -> click.ClickException:
        return click.ClickException(
            f"What answers at {self._url} is no Slipway: set SLIPWAY_URL to where it is."
        )


def _detail(answer: requests.Response) -> str | None:
    if "json" not in answer.headers.get("Content-Type", ""):
        return None
    try:
        body = answer.json()
    except requests.JSONDecodeError:
        return None
    return str(body["detail"]) if isinstance(body, dict) and body.get("detail") else None
