"""Numbers of bytes as people read them."""

KILO = 1000


def size(count: float) -> str:
    """A number of bytes in the unit that fits it: 999 B, 1.2 kB, 3.4 MB."""
    for unit in ("B", "kB", "MB"):
        if count < KILO:
            return f"{count:.0f} B" if unit == "B" else f"{count:.1f} {unit}"
        count /= KILO
    return f"{count:.1f} GB"
