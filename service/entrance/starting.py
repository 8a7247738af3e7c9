"""What the web process judges and says before it serves, whichever server it is."""

import structlog

from config import server
from config.settings import Settings, SettingsError, settings
from config.settings.secret_key import cookie_key, keeps_key
from config.settings.values import GOOD_SECRET
from config.settings.weak_secrets import short_secrets
from workers.ledger.connection import LedgerError, refuse_lossy


def judged() -> Settings:
    """The settings of the process, once they, the operator's file and the ledger are found right.

    Raises:
        SystemExit: they are not; its text says what to do.
    """
    try:
        chosen = settings()
        server.load(chosen.config)
        refuse_lossy(chosen.redis_url)
        # Made before there are several processes, which must all have the same.
        cookie_key(chosen)
    except (SettingsError, server.ConfigError, LedgerError) as error:
        raise SystemExit(f"slipway: the web process can't start:\n{error}") from None
    return chosen


def warn(chosen: Settings) -> None:
    """Warn of what should not stay so, once for all processes."""
    log = structlog.get_logger()
    if not keeps_key(chosen):
        log.warning(
            "secret_key_not_kept",
            folder=str(chosen.data_dir),
            hint="sessions end with this process: whoever operates Slipway sets "
            "SLIPWAY_SECRET_KEY, or lets the web process write to SLIPWAY_DATA_DIR",
        )
    for name in short_secrets(chosen):
        log.warning(
            "short_secret",
            variable=name,
            hint=f"{name} holds a secret of fewer than {GOOD_SECRET} characters: whoever operates "
            "Slipway should set a longer one, which `openssl rand -hex 20` makes",
        )
