"""How traffic moves to a new version: at once, or in steps; the names are CodeDeploy's.

Source: https://docs.aws.amazon.com/codedeploy/latest/userguide/deployment-configurations.html
"""

import difflib
import re
from typing import Annotated, NamedTuple

from pydantic import AfterValidator, WithJsonSchema

from config.values import Matching

AT_ONCE = "all-at-once"
NAMES = (
    AT_ONCE,
    *(f"canary-10-percent-{minutes}-minutes" for minutes in (5, 10, 15, 30)),
    "linear-10-percent-every-1-minute",
    *(f"linear-10-percent-every-{minutes}-minutes" for minutes in (2, 3, 10)),
)
_PATTERN = (
    r"(?:canary-([1-9][0-9]?)-percent|linear-([1-9][0-9]?)-percent-every)"
    r"-(?:(1)-(second|minute)|([2-9]|[1-9][0-9]{1,4})-(second|minute)s)"
)
_MOST_SECONDS = 2 * 86400
_MINUTE = 60


class Strategy(NamedTuple):
    """The new version's shares in percent, one a step, before it gets everything.

    `seconds` is how long each of those steps lasts; without shares everything moves at once.
    """

    name: str
    shares: tuple[int, ...] = ()
    seconds: float = 0.0

    @property
    def lasts(self) -> float:
        """Seconds from the first step to the last one, which is all of the traffic."""
        return len(self.shares) * self.seconds


def parse(name: str) -> Strategy:
    """The steps that a name stands for.

    Raises:
        ValueError: there is no such strategy, with the list of them.
    """
    if name == AT_ONCE:
        return Strategy(name)
    match = re.fullmatch(_PATTERN, name)
    if match is None:
        raise ValueError(_unknown(name))
    canary, linear, one, unit, several, units = match.groups()
    share = int(canary or linear)
    shares = (share,) if canary else tuple(range(share, 100, share))
    length = _MINUTE if (unit or units) == "minute" else 1
    strategy = Strategy(name, shares, float(int(one or several) * length))
    if strategy.lasts > _MOST_SECONDS:
        raise ValueError(f'"{name}" would take longer than two days; take fewer or shorter steps')
    return strategy


def _unknown(name: str) -> str:
    near = difflib.get_close_matches(name, NAMES, 1)
    hint = f'; did you mean "{near[0]}"?' if near else ""
    return (
        f"expected one of {', '.join(NAMES)}, or one with another share and time, such as "
        f"canary-5-percent-20-minutes or linear-25-percent-every-30-seconds{hint}"
    )


def _named(name: str) -> str:
    return parse(name).name


StrategyName = Annotated[
    str,
    AfterValidator(_named),
    WithJsonSchema(
        {"anyOf": [{"enum": list(NAMES)}, {"pattern": f"^{_PATTERN}$"}], "type": "string"}
    ),
]
# What CloudWatch's API takes as AlarmName.
AlarmName = Annotated[
    str, Matching(r"[^\x00-\x1f\x7f]{1,255}", "the name of a CloudWatch alarm, not its ARN")
]
