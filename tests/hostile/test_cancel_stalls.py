"""A cancel is heard within five seconds, whichever call of a run is never answered."""

import contextlib
import os
import selectors
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.e2e.conftest import town
from tests.e2e.town import WAITING, Place, Town, pipeline, until
from tests.hostile.test_cancel import heard, running

__all__ = ["town"]
PACE = 64 << 10
ENDLESS_BUILD = (
    "FROM python:3.11-slim\nWORKDIR /app\nCOPY index.py ./\nRUN echo began && sleep 300\n"
)


def waits(place: Place) -> str:
    """Push what waits in its check; the commit, once it does."""
    commit = place.push(place.files(slipway__toml=pipeline(place.function, WAITING)))
    until(lambda: "began" in place.log(commit), 90, lambda: place.story(commit))
    return commit


@pytest.mark.e2e
def test_while_no_status_is_answered(town: Town):
    """GitHub takes each status and never answers: the run ends all the same."""
    place = town.place("cancel-status")
    fault = town.github.fail_next(
        "POST", f"^/repos/{place.repository}/statuses/", times=40, status=None, delay=30
    )
    commit = waits(place)
    until(lambda: town.github.struck(fault), 30, "nobody told a status")
    heard(town, place, commit)
    town.github.clear_faults()


@pytest.mark.e2e
def test_while_github_gives_no_token(town: Town):
    """An App that waits for its token hears it too."""
    place = town.place("cancel-token")
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    app = {"GITHUB_TOKEN": "", "GITHUB_APP_ID": "7", "GITHUB_APP_PRIVATE_KEY": pem}
    path = f"^/repos/{place.repository}/installation"
    fault = town.github.fail_next("GET", path, times=40, status=None, delay=30)
    with town.changed("worker", **app):
        commit = place.push()
        running(town, place, commit, "checkout")
        until(lambda: town.github.struck(fault), 30, "nobody asked for a token")
        heard(town, place, commit)
    town.github.clear_faults()


@pytest.mark.e2e
@pytest.mark.parametrize("call", ["PutObject", "GetFunction", "PublishVersion", "Invoke"])
def test_while_aws_answers_no(town: Town, call: str):
    """No call of AWS keeps a cancel waiting, before the first alias moves."""
    place = town.place(f"cancel-{call.lower()}")
    hold = town.gate.hold(call, place.function)
    smoke = pipeline(place.function) + "smoke = { payload = {} }\n"
    commit = place.push(place.files(call, slipway__toml=smoke))
    assert hold.reached.wait(90), place.story(commit)
    heard(town, place, commit)
    hold.open()
    assert place.moves() == []


class Freezer:
    """Hands on an engine's connections, until it is frozen: then nothing comes through."""

    def __init__(self, engine: str, path: Path) -> None:
        self.url = f"unix://{path}"
        self.thawed = threading.Event()
        self.thawed.set()
        self._engine = engine.removeprefix("unix://")
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(str(path))
        self._server.listen()
        threading.Thread(target=self._take, daemon=True).start()

    def _take(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                one = self._server.accept()[0]
                threading.Thread(target=self._hand_on, args=(one,), daemon=True).start()

    def _hand_on(self, one: socket.socket) -> None:
        with one, socket.socket(socket.AF_UNIX) as other, selectors.DefaultSelector() as ready:
            other.connect(self._engine)
            ready.register(one, selectors.EVENT_READ, other)
            ready.register(other, selectors.EVENT_READ, one)
            with contextlib.suppress(OSError):
                while ready.get_map():
                    for key, _ in ready.select():
                        self.thawed.wait()
                        self._pass_on(ready, key)

    @staticmethod
    def _pass_on(ready: selectors.BaseSelector, key: selectors.SelectorKey) -> None:
        here, there = key.fileobj, key.data
        assert isinstance(here, socket.socket)
        if data := here.recv(PACE):
            there.sendall(data)
        else:
            ready.unregister(here)
            there.shutdown(socket.SHUT_WR)

    def end(self) -> None:
        """No new connections; those that stand go on."""
        self.thawed.set()
        self._server.close()


@pytest.fixture
def freezer(town: Town, tmp_path: Path) -> Iterator[Freezer]:
    """The worker's engine, which can be frozen."""
    found = Freezer(os.environ["DOCKER_HOST"], tmp_path / "s")
    yield found
    found.end()


@pytest.mark.e2e
@pytest.mark.parametrize("at", ["test", "build"])
def test_while_the_engine_stands_still(town: Town, freezer: Freezer, at: str):
    """It stops in the middle of a check, or of a build; what is left of them goes with the thaw."""
    place = town.place(f"cancel-frozen-{at}")
    files = place.files(at)
    if at == "test":
        files["slipway.toml"] = pipeline(place.function, WAITING)
    else:
        files["Dockerfile"] = ENDLESS_BUILD
    with town.changed("worker", DOCKER_HOST=freezer.url):
        commit = place.push(files)
        until(lambda: "began\n" in place.log(commit), 90, lambda: place.story(commit))
        freezer.thawed.clear()
        threading.Timer(8, freezer.thawed.set).start()
        heard(town, place, commit)
