"""Sends prepared requests over N connections and times each answer; a process of its own.

One thread, one epoll loop, no HTTP library: it must not be what is measured. Connections are kept
for as long as the server keeps them. A request's time is from the moment it may be sent, opening a
new connection included, until its answer is complete.
"""

import argparse
import json
import selectors
import socket
import time
from collections import deque

from benchmarks import deliveries


class Connection:
    """One connection with at most one request under way."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.address = address
        self.socket: socket.socket | None = None
        self.received = b""
        self.began = 0.0

    def send(self, request: bytes) -> None:
        """Send a request, over a new connection where the last one was closed."""
        self.began = time.perf_counter()
        self.received = b""
        if self.socket is None:
            self.socket = socket.create_connection(self.address)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.sendall(request)

    def receive(self) -> bool:
        """Take what has come; whether the answer is complete."""
        assert self.socket
        data = self.socket.recv(65536)
        self.received += data
        if not data and not self._complete():
            raise ConnectionError(f"cut off: {self.received[:200]!r}")
        return self._complete()

    def _complete(self) -> bool:
        head, blank, body = self.received.partition(b"\r\n\r\n")
        head = head.lower()
        if b"\r\ntransfer-encoding: chunked" in head:
            return body.endswith(b"0\r\n\r\n")
        length = head.partition(b"\r\ncontent-length: ")[2].partition(b"\r\n")[0]
        return bool(blank) and len(body) >= int(length or b"0")

    @property
    def status(self) -> str:
        """The answer's status."""
        return self.received[9:12].decode()

    @property
    def kept(self) -> bool:
        """Whether the server keeps the connection."""
        head = self.received.partition(b"\r\n\r\n")[0].lower()
        return head.startswith(b"http/1.1") and b"connection: close" not in head


def run(address: tuple[str, int], requests: deque[bytes], connections: int, seconds: float) -> dict:
    """Send them all, or as many as the time allows; the statuses, times and the rate."""
    selector = selectors.DefaultSelector()
    times: list[float] = []
    statuses: dict[str, int] = {}
    began = time.perf_counter()
    until = began + seconds
    busy = 0

    def go(connection: Connection) -> int:
        if not requests or time.perf_counter() > until:
            return 0
        fresh = connection.socket is None
        connection.send(requests.popleft())
        if fresh:
            selector.register(connection.socket, selectors.EVENT_READ, connection)
        return 1

    for _ in range(connections):
        busy += go(Connection(address))
    while busy:
        for key, _ in selector.select():
            connection: Connection = key.data
            if not connection.receive():
                continue
            times.append(time.perf_counter() - connection.began)
            statuses[connection.status] = statuses.get(connection.status, 0) + 1
            if not connection.kept:
                selector.unregister(key.fileobj)
                connection.socket.close()
                connection.socket = None
            busy += go(connection) - 1
    took = time.perf_counter() - began
    return {"rate": len(times) / took, "times": times, "statuses": statuses}


def main() -> None:
    """Prepare, say `ready`, wait for a line, run, print JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--path", required=True)
    parser.add_argument("--connections", type=int, required=True)
    parser.add_argument("--requests", type=int, required=True)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--repeat", action="store_true")
    asked = parser.parse_args()
    host = f"127.0.0.1:{asked.port}"
    prepared = deque(deliveries.requests(asked.requests, asked.path, host, repeat=asked.repeat))
    cpu = time.process_time()
    measured = run(("127.0.0.1", asked.port), prepared, asked.connections, asked.seconds)
    print(json.dumps({**measured, "cpu": time.process_time() - cpu}))


if __name__ == "__main__":
    main()
