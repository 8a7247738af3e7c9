"""Times, lengths of time and sizes as people read them."""

from datetime import UTC, datetime
from time import time

_SOON = 10_000
_STEPS = (("year", 31_536_000), ("month", 2_592_000), ("day", 86_400), ("hour", 3600))
_MINUTE = 60
_AT_ONCE = 10
_UNITS = (("day", 86_400), ("h", 3600), ("min", 60), ("s", 1))


def duration(seconds: float) -> str:
    """A length of time, as short as it stays useful: 250 ms, 1.5 s, 2 h, 1 day 2 h."""
    milliseconds = max(round(seconds * 1000), 0)
    if milliseconds < 1000:  # noqa: PLR2004 - a second
        return f"{milliseconds} ms"
    if milliseconds < _SOON:
        return f"{milliseconds / 1000:.1f}".removesuffix(".0") + " s"
    left, parts = milliseconds // 1000, []
    for unit, length in _UNITS:
        count, left = divmod(left, length)
        parts.append((count, f"{unit}s" if unit == "day" and count > 1 else unit))
    largest = next(at for at, (count, _) in enumerate(parts) if count)
    return " ".join(f"{count} {unit}" for count, unit in parts[largest : largest + 2] if count)


KILO = 1000


def size(count: float) -> str:
    """A number of bytes in the unit that fits it: 999 B, 1.2 kB, 3.4 MB."""
    for unit in ("B", "kB", "MB"):
        if count < KILO:
            return f"{count:.0f} B" if unit == "B" else f"{count:.1f} {unit}"
        count /= KILO
    return f"{count:.1f} GB"


def moment(milliseconds: int | str | None) -> str | None:
    """A time of the ledger as ISO 8601 in UTC."""
    if milliseconds is None:
        return None
    return _zulu(utc(int(milliseconds)), "milliseconds")


def now() -> int:
    """Milliseconds since 1970."""
    return int(time() * 1000)


def utc(milliseconds: float) -> datetime:
    """Returns a time of the ledger, milliseconds since 1970, as a date: the one way to get it."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def exact(milliseconds: int) -> str:
    """A time to the second, in UTC."""
    return f"{utc(milliseconds):%Y-%m-%d %H:%M:%S} UTC"


def minute(milliseconds: int) -> str:
    """A time to the minute, in UTC."""
    return f"{utc(milliseconds):%Y-%m-%d %H:%M} UTC"


def clock(milliseconds: int) -> str:
    """A time of one of these days to the second, in UTC."""
    return f"{utc(milliseconds):%H:%M:%S} UTC"


def iso(milliseconds: int) -> str:
    """A time as HTML's `datetime` wants it."""
    return _zulu(utc(milliseconds), "seconds")


def _zulu(at: datetime, precision: str) -> str:
    return at.isoformat(timespec=precision).replace("+00:00", "Z")


def ago(milliseconds: int) -> str:
    """How long ago a time was."""
    seconds = (now() - milliseconds) // 1000
    if seconds < _AT_ONCE:
        return "just now"
    if seconds < _MINUTE:
        return f"{seconds} seconds ago"
    for unit, length in (*_STEPS, ("minute", _MINUTE)):
        if seconds >= length:
            count = seconds // length
            return f"{count} {unit}{'s' if count > 1 else ''} ago"
    return ""


def left(milliseconds: int) -> str:
    """How long it still is until something, to the minute."""
    minutes = milliseconds // (_MINUTE * 1000)
    return duration(minutes * _MINUTE) if minutes >= 1 else "less than a minute"
