"""The stand-in's wire: what a killed client has begun to say counts for nothing."""

import socket
from urllib.parse import urlsplit

from tests.aws.strict import StrictAws


def test_half_a_request_is_not_one():
    """Killed between head and body, a client has asked for nothing; nobody waits for the rest."""
    with StrictAws("http://127.0.0.1:9") as strict:
        port = urlsplit(strict.url).port
        with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
            client.sendall(b"PUT /x HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf")
            client.shutdown(socket.SHUT_WR)
            assert client.recv(100) == b""
        assert strict.requests == []
