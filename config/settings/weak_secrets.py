"""Secrets that are let in, and are too short to be good."""

from config.settings import Settings, variable
from config.settings.values import GOOD_SECRET


def short_secrets(chosen: Settings) -> tuple[str, ...]:
    """The variables with a secret of fewer than 20 characters, which somebody may guess."""
    single = ("slack_signing_secret", "sonar_webhook_secret", "secret_key")
    kept = {
        "api_tokens": tuple(chosen.api_tokens.values()),
        "github_webhook_secrets": chosen.github_webhook_secrets,
        **{name: (one,) for name in single if (one := getattr(chosen, name))},
    }
    return tuple(
        variable(name)
        for name, values in kept.items()
        if any(len(value.get_secret_value()) < GOOD_SECRET for value in values)
    )
