"""A build without a network has nothing fetched for it: the engine's own network is not its."""

import http.server
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.docker.conftest import Quiet
from tests.hostile.gate import OPERATOR, PLAIN, Gate, files
from workers.docker import images
from workers.docker.bounds import Bounds
from workers.docker.engine import Engine
from workers.ledger.model.errors import RunError, UserError
from workers.ledger.model.run import State

pytestmark = pytest.mark.docker


class Listener:
    """What listens on this machine's loopback, where the engine reaches it: it counts calls."""

    def __init__(self) -> None:
        calls = self.calls = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                calls.append(self.path)
                self.send_response(200)
                self.send_header("Content-Length", "6")
                self.end_headers()
                self.wfile.write(b"secret")

            def do_HEAD(self) -> None:
                calls.append(self.path)
                self.send_error(404)

            def log_message(self, *_: object) -> None:
                """Nothing."""

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self.server.server_port}"


@pytest.fixture
def listener() -> Iterator[Listener]:
    """A service on loopback."""
    made = Listener()
    thread = threading.Thread(target=made.server.serve_forever, daemon=True)
    thread.start()
    yield made
    made.server.shutdown()
    thread.join()


Build = Callable[..., str]


@pytest.fixture
def build(real_engine: Engine, context: Path, python_image: str, labels: dict[str, str]) -> Build:
    """Builds a Dockerfile within bounds."""

    def run(text: str, *patterns: str, network: str = "none", own: bool = True, **args: str) -> str:
        (context / "Dockerfile").write_text(text.replace("BASE", python_image))
        return images.build(
            real_engine,
            context,
            "Dockerfile",
            bounds=Bounds(network, "tests", patterns),
            args=args,
            labels=labels,
            timeout=120,
            say=print,
            watch=Quiet(),
            network=own,
        )

    return run


ATTEMPTS = [
    "FROM BASE\nADD http://HERE/{} /stolen\n",
    'FROM BASE\nADD ["http://HERE/{}", "/stolen"]\n',
    "FROM BASE\nENV A=http://HERE/{}\nADD $A /stolen\n",
    "FROM BASE\nARG A\nADD ${{A:-http://HERE/{}}} /stolen\n",
    "FROM BASE AS a\nONBUILD ADD http://HERE/{} /stolen\nFROM a\n",
    "# escape=`\nFROM BASE\nADD `\n http://HERE/{} /stolen\n",
    "FROM HERE/image:{}\n",
    "ARG I=HERE/image:{}\nFROM $I\n",
    "FROM BASE\nCOPY --from=HERE/image:{} /x /stolen\n",
    "FROM BASE\nRUN --mount=type=bind,from=HERE/image:{},target=/x cp /x/y /stolen\n",
]


@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_nothing_is_fetched_for_a_build_without_a_network(
    build: Build, listener: Listener, attempt: str
):
    """With a network the engine goes to loopback itself; without one it is never asked to."""
    text = attempt.format(os.urandom(4).hex()).replace("HERE", listener.address)
    try:
        build(text, network="host")
    except RunError as error:
        print(error)
    assert listener.calls, "the attempt strikes"
    listener.calls.clear()
    with pytest.raises(UserError, match=r"Dockerfile:\d+: "):
        build(text)
    assert listener.calls == []


def test_a_repository_that_wants_no_network_gets_none(build: Build, listener: Listener):
    """Where only slipway.toml says so, ADD fetches nothing, and images come as they did."""
    with pytest.raises(UserError, match="ADD fetches"):
        build(f"FROM BASE\nADD http://{listener.address}/x /\n", network="host", own=False)
    assert listener.calls == []
    with pytest.raises(RunError):
        build(f"FROM {listener.address}/image:1\n", network="host", own=False)
    assert listener.calls != []


def test_what_the_operator_names_may_be_fetched(build: Build, listener: Listener):
    """A pattern of [builds] images opens its registry, and no other."""
    text = f"FROM {listener.address}/image:1\n"
    with pytest.raises(UserError, match="not on the Docker engine"):
        build(text, "127.0.0.1/*", f"{listener.address}/other")
    assert listener.calls == []
    with pytest.raises(RunError) as caught:
        build(text, f"{listener.address}/*")
    assert "not on the Docker engine" not in str(caught.value)
    assert listener.calls != []


def test_images_of_the_engine_and_stages_are_let_through(build: Build):
    """What was fine without a network still is."""
    assert build(
        "ARG B=BASE\nFROM $B AS first\nRUN echo one > /one\nFROM BASE\nCOPY --from=first /one /\n"
        "COPY --from=0 /one /two\nRUN --mount=type=bind,from=first,target=/m cat /m/one\n"
        "FROM scratch\nCOPY --from=BASE /etc/passwd /\n"
    )


def test_a_part_of_an_id_is_no_name(build: Build, real_engine: Engine, python_image: str):
    """The engine finds images by the beginnings of their ids; BuildKit would ask a registry."""
    short = real_engine.client.images.get(python_image).id.removeprefix("sha256:")[:12]
    with pytest.raises(UserError, match="not on the Docker engine"):
        build(f"FROM {short}\n")


def test_a_pull_request_learns_which_line(gate: Gate, listener: Listener):
    """The run ends with file and line, and it is the repository's turn."""
    tree = files(dockerfile=f"{PLAIN}ADD http://{listener.address}/x /app/\n")
    loose = gate.make("loose", f'{OPERATOR}[builds]\nnetwork = {{ deploy = "host" }}')
    run = gate.pushed(loose, gate.repository("one"), tree)
    assert run.state is State.SUCCEEDED, "the attempt strikes"
    assert listener.calls == ["/x"]
    listener.calls.clear()
    inside = gate.make()
    run = gate.proposed(inside, gate.repository("two"), tree)
    assert (run.state, run.fault) == (State.FAILED, "user")
    assert "Dockerfile:4: ADD fetches" in run.error
    assert listener.calls == []
