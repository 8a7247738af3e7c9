"""The Go function's binary: static, the same for the same source, and it does its work."""

import http.server
import json
import shutil
import subprocess
import threading
import zipfile
from queue import Empty, Queue

import pytest

pytestmark = [pytest.mark.docker, pytest.mark.soak, pytest.mark.timeout(900)]
ELF_INTERPRETER = 3
PAGE = """<!doctype html><title>x</title><script type="application/ld+json">
{"@type": "Movie", "name": "Metropolis", "datePublished": "1927-02-06", "genre": ["Drama"],
 "director": [{"name": "Fritz Lang"}], "aggregateRating": {"ratingValue": 8.3}}</script>"""
EVENT = {
    "Records": [
        {"messageId": "good", "body": json.dumps({"id": "tt0017136", "title": "Metropolis"})},
        {"messageId": "bad", "body": json.dumps({"id": "tt0000000"})},
    ]
}


class Lambda(http.server.ThreadingHTTPServer):
    """Lambda's runtime API for one event, and the site with the films' pages."""

    daemon_threads = True

    def __init__(self, event):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.events = Queue()
        self.events.put(event)
        self.answers = Queue()
        self.over = threading.Event()

    @property
    def address(self):
        """Host and port."""
        return f"127.0.0.1:{self.server_address[1]}"


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/title/tt0017136/":
            return self._send(200, PAGE.encode())
        if not self.path.startswith("/2018-06-01/"):
            return self._send(404, b"")
        try:
            event = self.server.events.get_nowait()
        except Empty:
            self.server.over.wait(30)
            return self._send(410, b"")
        headers = {
            "Lambda-Runtime-Aws-Request-Id": "the-request",
            "Lambda-Runtime-Deadline-Ms": "32503680000000",
        }
        return self._send(200, json.dumps(event).encode(), headers)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.answers.put((self.path, json.loads(body)))
        self._send(202, b"")

    def log_message(self, *_arguments):
        pass

    def _send(self, status, body, headers=()):
        self.send_response(status)
        for name, value in dict(headers).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def bootstrap(example, tmp_path):
    """The binary out of the package."""
    package = example("movies-parser").build().packages["MoviesParser"]
    with zipfile.ZipFile(package.path) as archive:
        (info,) = archive.infolist()
        assert info.external_attr >> 16 & 0o111 == 0o111
        path = tmp_path / "bootstrap"
        path.write_bytes(archive.read(info))
    path.chmod(0o755)
    return path


def segments(binary):
    """The kinds of the program headers of a 64-bit ELF file (elf(5))."""
    start = int.from_bytes(binary[0x20:0x28], "little")
    size = int.from_bytes(binary[0x36:0x38], "little")
    count = int.from_bytes(binary[0x38:0x3A], "little")
    heads = [start + number * size for number in range(count)]
    return {int.from_bytes(binary[head : head + 4], "little") for head in heads}


def test_the_binary_is_static_and_stripped(bootstrap):
    """It needs no loader, has no symbols, and tells nothing of where it was built."""
    binary = bootstrap.read_bytes()
    assert binary.startswith(b"\x7fELF")
    assert ELF_INTERPRETER not in segments(binary)
    assert b".symtab" not in binary
    assert b".debug_info" not in binary
    assert b"movies-parser/main.go" in binary
    assert b"/src/main.go" not in binary
    assert len(binary) < 8_000_000


def test_films_go_from_the_queue_to_the_table(bootstrap, aws, tmp_path):
    """Started as Lambda starts it, it keeps the film that has a page and tells which has none."""
    aws.client("dynamodb").create_table(
        TableName="movies",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    with Lambda(EVENT) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        variables = {
            **aws.environment(),
            "AWS_LAMBDA_RUNTIME_API": server.address,
            "PAGES_URL": f"http://{server.address}/title/{{id}}/",
            "TABLE_NAME": "movies",
        }
        with subprocess.Popen([bootstrap], env=variables, stderr=subprocess.PIPE) as process:
            path, answer = server.answers.get(timeout=30)
            server.over.set()
            log = process.communicate(timeout=30)[1].decode()
        server.shutdown()
    assert path == "/2018-06-01/runtime/invocation/the-request/response"
    assert answer == {"batchItemFailures": [{"itemIdentifier": "bad"}]}
    assert "message bad: " in log
    (item,) = aws.client("dynamodb").scan(TableName="movies")["Items"]
    assert item == {
        "id": {"S": "tt0017136"},
        "title": {"S": "Metropolis"},
        "year": {"N": "1927"},
        "genres": {"L": [{"S": "Drama"}]},
        "director": {"S": "Fritz Lang"},
        "rating": {"N": "8.3"},
    }


def test_a_missing_variable_is_named(bootstrap):
    """Without its variables it ends at once and says which one is missing."""
    done = subprocess.run([bootstrap], env={}, capture_output=True, timeout=30, check=False)
    assert done.returncode == 1
    assert b"the variable PAGES_URL is missing" in done.stderr


def test_the_same_source_gives_the_same_bytes(example, bench, tmp_path):
    """Compiled again, in other folders and at another time, it is the same package."""
    first = example("movies-parser")
    other = tmp_path / "elsewhere"
    shutil.copytree(first.source, other)
    dockerfile = other / "Dockerfile"
    dockerfile.write_text(dockerfile.read_text().replace("WORKDIR /src", "WORKDIR /another/place"))
    one = first.build().packages["MoviesParser"]
    two = bench(other).build().packages["MoviesParser"]
    assert one.path != two.path
    assert one.sha256 == two.sha256
