"""The machine's own network is nobody's by accident: not a check's, not a build's, not a scan's."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from local.redis import EmbeddedRedis
from tests.docker.conftest import Quiet
from tests.hostile.gate import OPERATOR, PLAIN, Gate, files
from workers.docker import images, litter
from workers.docker.bounds import Bounds
from workers.docker.engine import Engine
from workers.ledger.model.errors import OurError
from workers.ledger.model.run import State

pytestmark = pytest.mark.docker
VOTE = (
    "'''python3 -c \"import socket; s = socket.create_connection(({host!r}, {port}), 5); "
    "s.sendall(b\\\"SET vote yes\\\\r\\\\n\\\"); s.recv(9)\"'''"
)


def voting(redis_server: EmbeddedRedis, host: str = "127.0.0.1") -> str:
    """A check that writes into the ledger."""
    return VOTE.format(host=host, port=redis_server.port)


def test_a_check_that_asks_for_the_network_gets_no_other_than_the_operators(
    gate: Gate, redis_server: EmbeddedRedis
):
    """On an engine without `bridge` a vote gets into the ledger only where `host` was written."""
    tree = files(network="true", check=voting(redis_server))
    open_door = gate.make("host", check_network="host")
    run = gate.proposed(open_door, gate.repository("one"), tree)
    assert run.state is State.SUCCEEDED, open_door.log(run.id)
    assert open_door.redis.get("vote") == "yes", "the attempt strikes"

    open_door.redis.delete("vote")
    default = gate.make("default", check_network="bridge")
    run = gate.proposed(default, gate.repository("two"), tree)
    assert run.state is State.FAILED
    assert "no network called 'bridge'" in run.error
    assert "operator" in run.error
    assert run.fault == "ours"
    assert default.redis.get("vote") is None


@pytest.mark.parametrize(
    ("operator", "network", "named"),
    [
        (OPERATOR, "none", "SLIPWAY_CHECK_NETWORK"),
        (f'{OPERATOR}[builds]\nnetwork = {{ review = "none" }}', "host", "[builds] network"),
    ],
)
def test_a_network_that_is_refused_is_the_repositorys_turn(
    gate: Gate, redis_server: EmbeddedRedis, operator: str, network: str, named: str
):
    """`none` refuses the check before anything is built, with the setting's name."""
    inside = gate.make(operator=operator, check_network=network)
    tree = files(network="true", check=voting(redis_server))
    run = gate.proposed(inside, gate.repository("one"), tree)
    assert (run.state, run.fault) == (State.FAILED, "user")
    assert named in run.error
    assert "the check unit" in run.error
    assert "test/image" not in inside.log(run.id)
    assert inside.redis.get("vote") is None


def test_the_operators_file_goes_by_trust_and_wins(gate: Gate, redis_server: EmbeddedRedis):
    """What deploys may, pull requests may not; the file goes before the variables."""
    operator = f'{OPERATOR}[builds]\nnetwork = {{ deploy = "host", review = "none" }}'
    inside = gate.make(operator=operator, check_network="none")
    repository = gate.repository("one")
    assert gate.proposed(inside, repository, files(network="true")).state is State.FAILED
    tree = files(network="true", check=voting(redis_server))
    run = gate.pushed(inside, repository, tree)
    assert run.state is State.SUCCEEDED, inside.log(run.id)
    assert inside.redis.get("vote") == "yes"


def test_a_build_gets_no_other_network_than_the_operators(gate: Gate, redis_server: EmbeddedRedis):
    """A RUN reaches the ledger where `host` was written, and `default` is not `host`."""
    port = redis_server.port
    steal = (
        f"RUN python3 -c 'import socket; socket.create_connection((\"127.0.0.1\", {port}), 5)'\n"
    )
    tree = files(dockerfile=PLAIN + steal)
    open_door = gate.make("host", build_network="host")
    run = gate.pushed(open_door, gate.repository("one"), tree)
    assert run.state is State.SUCCEEDED, "the attempt strikes"
    closed = gate.make("default", build_network="default")
    run = gate.pushed(closed, gate.repository("two"), tree)
    assert (run.state, run.fault) == (State.FAILED, "ours")
    assert "no network called 'bridge'" in run.error
    stated = gate.make("stated", f'{OPERATOR}[builds]\nnetwork = {{ deploy = "none" }}')
    run = gate.pushed(stated, gate.repository("three"), tree)
    assert (run.state, run.fault) == (State.FAILED, "user")
    assert "Connection refused" in run.error


@pytest.fixture
def bridged(bridged_host: str) -> Engine:
    """An engine with a bridge."""
    return Engine({"DOCKER_HOST": bridged_host, "PATH": os.environ["PATH"]})


def test_the_bridge_is_what_default_means(
    bridged: Engine, context: Path, python_image: str, redis_server: EmbeddedRedis
):
    """Where the engine has a bridge, a build has one interface more, and not the machine's."""
    build = _builder(bridged, context, python_image)
    assert build("RUN test -e /sys/class/net/eth0 && ! ls /sys/class/net | grep slw", "default")
    with pytest.raises(Exception, match="Connection refused"):
        build(
            "RUN python3 -c 'import socket;"
            f' socket.create_connection(("127.0.0.1", {redis_server.port}), 5)\'',
            "default",
        )


def _builder(engine: Engine, context: Path, base: str) -> Callable[[str, str], str]:
    labels = litter.labels(f"test-networks-{os.getpid()}", 1)

    def build(step: str, network: str) -> str:
        (context / "Dockerfile").write_text(f"FROM {base}\n{step}\n")
        built = images.build(
            engine,
            context,
            "Dockerfile",
            bounds=Bounds(network, "tests"),
            args={},
            labels=labels,
            timeout=120,
            say=print,
            watch=Quiet(),
        )
        images.remove(engine, built)
        return built

    return build


def test_an_engine_without_a_bridge_is_told_of(real_engine: Engine, context: Path, python_image):
    """The operator is told what to do; nothing is built."""
    if real_engine.has_network("bridge"):
        pytest.skip("the engine at hand has a bridge")
    with pytest.raises(OurError, match="the operator makes one, or sets network"):
        _builder(real_engine, context, python_image)("RUN true", "default")
