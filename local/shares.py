"""Which variables each process gets: secrets that one has no use for can't be taken from it."""

from collections.abc import Mapping

_WORK = ("AWS_", "DOCKER_", "GITHUB_TOKEN", "GITHUB_APP_", "SMTP_URL", "SONAR_TOKEN")
_DOOR = ("SLIPWAY_SECRET_KEY", "SLIPWAY_API_TOKENS", "SLIPWAY_TOKEN", "GITHUB_WEBHOOK_SECRET")
WITHHELD = {
    "web": _WORK,
    "worker": _DOOR,
    "beat": (*_WORK, *_DOOR, "SLACK_", "SONAR_"),
}
"""How the names begin of what a process of the Procfile does not get."""


def share(process: str, environment: Mapping[str, str]) -> dict[str, str]:
    """The variables of one process."""
    withheld = WITHHELD.get(process, ())
    return {
        name: value for name, value in environment.items() if not name.upper().startswith(withheld)
    }
