"""The name under which a worker holds its runs."""

import socket


def owner_of(process: int) -> str:
    """The name of the worker whose main process this is."""
    return f"{socket.gethostname()}/{process}"
