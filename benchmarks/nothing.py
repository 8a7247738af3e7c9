"""Answers every request without looking: what is then measured is the load generator itself."""

import selectors
import socket

ANSWER = b"HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\n{}"


def main() -> None:
    """Serve for ever on a free port, which is printed."""
    selector = selectors.DefaultSelector()
    with socket.create_server(("127.0.0.1", 0), backlog=256) as server:
        print(server.getsockname()[1], flush=True)
        selector.register(server, selectors.EVENT_READ)
        left: dict[socket.socket, int] = {}
        while True:
            for key, _ in selector.select():
                if key.fileobj is server:
                    line = server.accept()[0]
                    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    selector.register(line, selectors.EVENT_READ)
                    left[line] = 0
                    continue
                _serve(key.fileobj, left, selector)


def _serve(line: socket.socket, left: dict[socket.socket, int], selector) -> None:
    data = line.recv(65536)
    if not data:
        selector.unregister(line)
        line.close()
        return
    if not left[line]:
        head, _, body = data.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].split(b"\r")[0])
        left[line] = length - len(body)
    else:
        left[line] -= len(data)
    if not left[line]:
        line.sendall(ANSWER)


if __name__ == "__main__":
    main()
