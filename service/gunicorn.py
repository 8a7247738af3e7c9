"""How gunicorn serves the web process; gunicorn reads the names below."""

from typing import Any

from config import logs
from service.entrance.starting import judged, warn

_settings = judged()

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
    warn(_settings)


logconfig_dict = logs.gunicorn_logconfig(secrets=_settings.secrets())
