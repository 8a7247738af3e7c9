"""What the web process holds: read once, shared by its requests."""

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from flask import current_app
from redis import Redis

from config.server import Operator
from config.settings import Settings
from service.followers import Followers
from service.known import Known
from workers.ledger import Ledger

TOLD = "slipway.told"
"""In a request's environment: the log has a line about it already."""


@dataclass(frozen=True)
class Web:
    """The rooms that requests may enter; `listening` is for reads that wait for news."""

    settings: Settings
    operator: Operator
    ledger: Ledger
    listening: Redis
    webhook_secrets: tuple[str, ...]
    followers: Followers = field(default_factory=Followers)
    known: Known = field(default_factory=Known)

    @classmethod
    def current(cls) -> "Web":
        """That of the application whose request this is."""
        web: Web = current_app.extensions["slipway"]
        return web

    @property
    def url(self) -> str:
        """The public URL."""
        return self.settings.url

    @property
    def root(self) -> str:
        """The public URL's path, without a slash at its end: every address of ours begins so."""
        return urlsplit(self.url).path
