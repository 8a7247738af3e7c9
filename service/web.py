"""What the web process holds: read once, shared by its requests."""

from dataclasses import dataclass

from config.server import Operator
from config.settings import Settings
from workers.ledger import Ledger

TOLD = "slipway.told"
"""In a request's environment: the log has a line about it already."""


@dataclass(frozen=True)
class Web:
    """The rooms that requests may enter."""

    settings: Settings
    operator: Operator
    ledger: Ledger
    webhook_secrets: tuple[str, ...]

    @property
    def url(self) -> str:
        """The public URL."""
        return self.settings.url
