"""The text of a run's log, as the API, the archive and the command line show it."""

from collections.abc import Sequence

FOLLOW_HEADER = "X-Slipway-Log-Cursor"


def as_text(entries: list[tuple[str, str, str]]) -> str:
    """Log entries as lines, each behind the name of what said it; recalled ones have theirs."""
    return "".join(
        "".join(f"[{source}] {line}\n" for line in text.splitlines()) if source else text
        for _, source, text in entries
    )


def recalled(entries: Sequence[tuple[str, str, str]]) -> bool:
    """Whether a log was brought back from S3: its lines have their sources, and its notes."""
    return bool(entries) and not entries[0][1]
