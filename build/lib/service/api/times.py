"""Times as the API shows them."""

from datetime import UTC, datetime


def time(milliseconds: int | str | None) -> str | None:
    """A time of the ledger as ISO 8601 in UTC."""
    if milliseconds is None:
        return None
    moment = datetime.fromtimestamp(int(milliseconds) / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
