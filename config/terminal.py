"""Text of programs made safe for a terminal: colours kept, other control characters gone."""

import re

# ECMA-48: CSI sequences, strings (OSC, DCS, SOS, PM, APC) with their end, two-character escapes.
# No part runs over the begin of another, so the time to match is linear in the text.
ESCAPE = re.compile(
    r"(?:\x1b\[|\x9b)(?P<parameters>[0-?]*+)[ -/]*+(?P<final>[@-~])"
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x80-\x9f]*+(?:\x07|\x1b\\|\x9c)"
    r"|\x1b[ -/]*[0-~]?"
)
# C0 but for tab and newline, DEL, C1, and what has no width or turns the reading direction.
CONTROL = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff]+"
)


def plain(text: str) -> str:
    """Text for a terminal: colours, tabs and line ends kept, all other controls gone."""
    kept = ESCAPE.sub(lambda found: found[0] if colour(found) else "", text)
    return CONTROL.sub(lambda found: "\x1b" * found[0].count("\x1b"), kept)


def colour(found: re.Match[str]) -> bool:
    """Whether an escape only sets colours and weights (SGR)."""
    return found["final"] == "m" and re.fullmatch(r"[0-9;]*", found["parameters"]) is not None
