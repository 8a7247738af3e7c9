"""Lengths of time as people read them."""

_SOON = 10_000
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
