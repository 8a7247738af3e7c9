"""How gunicorn serves the web process; gunicorn reads the names below."""

from config import logs, server
from config.settings import SettingsError, settings
from workers.ledger.connection import LedgerError, refuse_lossy

try:
    _settings = settings()
    server.load(_settings.config)
    refuse_lossy(_settings.redis_url)
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
logconfig_dict = logs.gunicorn_logconfig(secrets=_settings.secrets())
