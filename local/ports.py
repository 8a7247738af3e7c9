"""Free TCP ports of this machine."""

import socket

HOST = "127.0.0.1"


def free_port() -> int:
    """A port that nothing listens on now; another process may take it before you do."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def listens(port: int, seconds: float = 1) -> bool:
    """Whether something accepts connections on this port."""
    try:
        with socket.create_connection((HOST, port), timeout=seconds):
            return True
    except OSError:
        return False
