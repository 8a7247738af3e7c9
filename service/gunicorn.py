"""How gunicorn serves the web process; gunicorn reads the names below."""

from typing import Any

import structlog

from config import logs, server
from config.settings import SettingsError, settings
from config.settings.secret_key import cookie_key, keeps_key
from config.settings.values import GOOD_SECRET
from config.settings.weak_secrets import short_secrets
from workers.ledger.connection import LedgerError, refuse_lossy

try:
    _settings = settings()
    server.load(_settings.config)
    refuse_lossy(_settings.redis_url)
    # Made before there are several processes, which must all have the same.
    cookie_key(_settings)
except (SettingsError, server.ConfigError, LedgerError) as error:
    raise SystemExit(f"slipway: the web process can't start:\n{error}") from None

bind = f"0.0.0.0:{_settings.port}"
workers = _settings.web_processes
logger_class = "service.serving.AccessLog"
worker_class = "service.serving.DoorWorker"
threads = 32
timeout = 30
keepalive = 5
# A control socket in the home directory is of no use here and one more way in.
control_socket_disable = True


def when_ready(_: Any) -> None:  # noqa: ANN401 - gunicorn has no types
    """Warn of what should not stay so, once for all processes."""
    if not keeps_key(_settings):
        structlog.get_logger().warning(
            "secret_key_not_kept",
            folder=str(_settings.data_dir),
            hint="sessions end with this process: whoever operates Slipway sets "
            "SLIPWAY_SECRET_KEY, or lets the web process write to SLIPWAY_DATA_DIR",
        )
    for name in short_secrets(_settings):
        structlog.get_logger().warning(
            "short_secret",
            variable=name,
            hint=f"{name} holds a secret of fewer than {GOOD_SECRET} characters: whoever operates "
            "Slipway should set a longer one, which `openssl rand -hex 20` makes",
        )


logconfig_dict = logs.gunicorn_logconfig(secrets=_settings.secrets())
