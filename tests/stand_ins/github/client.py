"""The stand-in's helpers, called over HTTP in a stand-in that is a process of its own."""

import functools
from typing import Any

import requests

from tests.stand_ins.github.control import METHODS, PREFIX, VALUES
from tests.stand_ins.github.model import TOKEN, StandInError
from tests.stand_ins.github.wire import pack, unpack

TIME_LIMIT = 60


class GitHubClient:
    """Has the methods and values of `Hub` that `control` names; a Fault it returns is a copy.

    Raises:
        StandInError: what the helper raised, or that the stand-in is not there.
    """

    def __init__(self, url: str, token: str = TOKEN) -> None:
        self.url = url.rstrip("/")
        self.api_url = self.url
        self.token = token

    def __getattr__(self, name: str) -> Any:
        if name in VALUES:
            return self._call(name)
        if name in METHODS:
            return functools.partial(self._call, name)
        raise AttributeError(name)

    def _call(self, name: str, /, *arguments: Any, **named: Any) -> Any:
        asked = {"name": name, "arguments": pack(arguments), "named": pack(named)}
        try:
            with requests.Session() as session:
                session.trust_env = False
                response = session.post(
                    f"{self.url}{PREFIX}/call",
                    json=asked,
                    headers={"Authorization": f"Bearer {self.token}"},
                    timeout=TIME_LIMIT,
                )
        except requests.RequestException as error:
            raise StandInError(f"the stand-in at {self.url} does not answer") from error
        if not response.ok:
            raise StandInError(response.json()["message"])
        return unpack(response.json())
