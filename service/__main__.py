"""`python -m service`: the web process, by uvicorn and our settings alone."""

import sys

from uvicorn import Config, Server

from config import logs
from config.settings import Settings
from service.asgi import Entrance
from service.entrance.connection import IDLE_SECONDS, Connection
from service.entrance.processes import keep
from service.entrance.starting import judged, warn

GRACEFUL_SECONDS = 30
SWITCH_SECONDS = 0.001
"""The loop gets its turn so soon while threads are busy; Python's own is five times as long."""


def main() -> int:
    """Serve until a signal comes; uvicorn's own variables count for nothing. The exit code."""
    chosen = judged()
    logs.configure(secrets=chosen.secrets())
    warn(chosen)
    socket = _config(chosen).bind_socket()
    socket.listen()

    def serve() -> None:
        sys.setswitchinterval(SWITCH_SECONDS)
        Server(_config(chosen)).run([socket])

    return keep(chosen.web_processes, serve)


def _config(chosen: Settings) -> Config:
    return Config(
        lambda: Entrance(chosen),
        factory=True,
        host="0.0.0.0",  # noqa: S104 - a proxy may be elsewhere
        port=chosen.port,
        workers=1,
        loop="uvloop",
        http=Connection,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        forwarded_allow_ips="",
        server_header=False,
        timeout_keep_alive=int(IDLE_SECONDS),
        timeout_graceful_shutdown=GRACEFUL_SECONDS,
    )


if __name__ == "__main__":
    sys.exit(main())
