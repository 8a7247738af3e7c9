"""What the web process holds: read once, shared by its requests."""

from dataclasses import dataclass, field

from redis import Redis

from config.server import Operator
from config.settings import Settings
from service.followers import Followers
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

    @property
    def url(self) -> str:
        """The public URL."""
        return self.settings.url
