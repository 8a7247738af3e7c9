"""The way to GitHub's API: one pooled client, a token or an App's installation."""

import logging
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol, TypeVar

import github
import requests
from github import Auth, GithubException, GithubIntegration

from config.units import duration
from workers.github.faults import RateLimitedError, translated
from workers.ledger.model.errors import OurError

TIMEOUT = 10
"""Seconds to connect, and seconds between two bytes of an answer."""

REPOSITORY = re.compile(r"(?!\.{1,2}/)[A-Za-z0-9_.-]+/(?!\.{1,2}$)[A-Za-z0-9_.-]+")
NO_CREDENTIALS = (
    "there is nothing to speak to GitHub with: set GITHUB_TOKEN, or GITHUB_APP_ID and "
    "GITHUB_APP_PRIVATE_KEY"
)

T = TypeVar("T")

# At DEBUG it writes whole requests to the log, a webhook's secret among them.
logging.getLogger("github.Requester").setLevel(logging.INFO)


class Pauses(Protocol):
    """What all workers know of the pauses that GitHub asked one of them for."""

    def left(self, name: str) -> float:
        """Seconds that the pause of that name still lasts, or 0."""

    def begin(self, name: str, seconds: float) -> None:
        """Begin a pause."""


class GitHub:
    """GitHub's API, with what the operator gave: a token, an App, or neither.

    No call sleeps or retries: trying again is the caller's, who can put its work off. A limit is
    of the token, or of the App's installation for one owner: with `pauses`, one worker's refusal
    is the pause of all, and no call is made before it is over. GitHub bans who goes on asking
    (docs.github.com, "Rate limits for the REST API").
    `authorities`: a file of all that may vouch for the server.
    Make one per process and keep it, for its connections and the App's tokens.

    Raises:
        OurError: the App's private key is unreadable.
    """

    def __init__(  # noqa: PLR0913 - what the operator gave, each in a variable of its own
        self,
        api_url: str,
        token: str | None = None,
        app_id: str | None = None,
        private_key: str | None = None,
        pauses: Pauses | None = None,
        *,
        authorities: Path | None = None,
    ) -> None:
        self._verify = str(authorities) if authorities else True
        self._pauses = pauses
        self._api_url = api_url.rstrip("/")
        self._token = token.strip() if token else None
        self._by_token = self._client(Auth.Token(self._token)) if self._token else None
        self._app = None if self._token else self._integration(app_id, private_key)
        self._by_repository: dict[str, github.Github] = {}
        self._by_installation: dict[int, github.Github] = {}

    @property
    def configured(self) -> bool:
        """Whether there are credentials at all."""
        return bool(self._by_token or self._app)

    @property
    def by_token(self) -> bool:
        """Whether it is a token that speaks, and no App."""
        return self._by_token is not None

    def each(self, action: str, work: Callable[[github.Github], T]) -> list[T]:
        """Do some work with every client there is: the token's, or one for each installation.

        Raises:
            OurError: GitHub refuses.
            PassingError: GitHub is out of reach; RateLimitedError says for how long.
        """
        with self._paced("", action), translated(action):
            if self._by_token:
                return [work(self._by_token)]
            app = self._app
            found = app.get_installations() if app else ()
            return [work(app.get_github_for_installation(one.id)) for one in found if app]

    def credentials(self, repository: str) -> str | None:
        """A token that git may fetch this repository with; None when none is configured.

        Raises:
            OurError: the App isn't installed there, or GitHub refuses its key.
            PassingError: GitHub is out of reach, or asks for a pause.
        """
        if not self._app:
            return self._token

        def token(client: github.Github) -> str:
            auth = client.requester.auth
            return auth.token if auth else ""

        return self.call(repository, f"asking for a token for {repository}", token)

    def call(self, repository: str, action: str, work: Callable[[github.Github], T]) -> T:
        """Do some work with a client that may act on a repository; `action` names it in errors.

        Raises:
            OurError: nothing is configured, or GitHub refuses.
            PassingError: GitHub is out of reach; RateLimitedError says for how long.
        """
        if not self.configured:
            raise OurError(NO_CREDENTIALS)
        if not REPOSITORY.fullmatch(repository):
            raise OurError(f"{repository!r} is no repository: it must look like OWNER/NAME")
        with self._paced(repository, action), translated(action):
            try:
                return work(self._for(repository))
            except GithubException as error:
                if not self._forget(repository, error.status):
                    raise
                return work(self._for(repository))

    @contextmanager
    def _paced(self, repository: str, action: str) -> Iterator[None]:
        owner = repository.partition("/")[0].lower()
        name = "github:token" if self._by_token else f"github:{owner}"
        left = self._pauses.left(name) if self._pauses else 0
        if left > 0:
            rest = duration(round(left))
            text = f"{action} waits: GitHub has set a limit, for another {rest}"
            raise RateLimitedError(text, left)
        try:
            yield
        except RateLimitedError as error:
            if self._pauses:
                self._pauses.begin(name, error.retry_after)
            raise

    def _for(self, repository: str) -> github.Github:
        if self._by_token:
            return self._by_token
        if repository not in self._by_repository and self._app:
            installation = self._app.get_repo_installation(*repository.split("/")).id
            if installation not in self._by_installation:
                client = self._app.get_github_for_installation(installation)
                self._by_installation[installation] = client
            self._by_repository[repository] = self._by_installation[installation]
        return self._by_repository[repository]

    def _forget(self, repository: str, status: int) -> bool:
        """Whether a remembered installation may be the reason: an App can be installed anew."""
        stale = {requests.codes.unauthorized, requests.codes.not_found}
        client = self._by_repository.pop(repository, None) if status in stale else None
        if client:
            kept = {number: c for number, c in self._by_installation.items() if c is not client}
            self._by_installation = kept
        return client is not None

    def _client(self, auth: Auth.Auth) -> github.Github:
        return github.Github(
            auth=auth,
            base_url=self._api_url,
            timeout=TIMEOUT,
            user_agent="slipway",
            verify=self._verify,
            lazy=True,
            retry=0,
            seconds_between_requests=None,
            seconds_between_writes=None,
        )

    def _integration(self, app_id: str | None, private_key: str | None) -> GithubIntegration | None:
        if not (app_id and private_key):
            return None
        auth = Auth.AppAuth(app_id, private_key)
        try:
            auth.create_jwt()
        except Exception:  # noqa: BLE001 - whatever the key's parsers raise, it says "bad key"
            raise OurError("GITHUB_APP_PRIVATE_KEY holds no private key in PEM form") from None
        return GithubIntegration(
            auth=auth,
            base_url=self._api_url,
            timeout=TIMEOUT,
            user_agent="slipway",
            verify=self._verify,
            retry=0,
            seconds_between_requests=None,
            seconds_between_writes=None,
        )
