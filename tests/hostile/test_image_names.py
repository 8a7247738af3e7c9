"""What a run builds has no name by which another could take it."""

import os
from pathlib import Path
from threading import Event, Thread

import pytest

from tests.docker.conftest import Quiet
from tests.hostile.gate import Gate, files
from workers.docker import images, litter
from workers.docker.bounds import Bounds
from workers.docker.engine import Engine
from workers.ledger.model.errors import RunError
from workers.ledger.model.run import State

pytestmark = pytest.mark.docker


class Thief:
    """Builds that take a file out of other images."""

    def __init__(self, engine: Engine, context: Path, labels: dict[str, str]) -> None:
        self.engine, self.context, self.labels = engine, context, labels

    def build(self, text: str) -> str:
        """An image of a Dockerfile."""
        (self.context / "Dockerfile").write_text(text)
        return images.build(
            self.engine,
            self.context,
            "Dockerfile",
            bounds=Bounds("host", "tests"),
            args={},
            labels=self.labels,
            timeout=120,
            say=print,
            watch=Quiet(),
        )


@pytest.mark.parametrize("take", ["FROM NAME\n", "FROM BASE\nCOPY --from=NAME /secret /\n"])
def test_an_image_without_a_name_is_taken_by_nobody(
    real_engine: Engine, context: Path, python_image: str, labels: dict[str, str], take: str
):
    """A name leads to an image of another run; by its id none does."""
    thief = Thief(real_engine, context, labels)
    built = thief.build(f"FROM {python_image}\nRUN echo {os.getpid()} > /secret\n")
    assert real_engine.client.images.get(built).tags == []
    take = take.replace("BASE", python_image)
    real_engine.client.images.get(built).tag("slipway/some-run", "build-1")
    try:
        assert thief.build(take.replace("NAME", "slipway/some-run:build-1")), "the attempt strikes"
    finally:
        real_engine.client.images.remove("slipway/some-run:build-1", noprune=True)
    for name in (built, built.removeprefix("sha256:"), built.removeprefix("sha256:")[:12]):
        with pytest.raises(RunError):
            thief.build(take.replace("NAME", name))
    mine = f"{litter.RUN}={labels[litter.RUN]}"
    assert all(
        image.tags == [] for image in real_engine.client.images.list(filters={"label": mine})
    )


def test_a_run_gives_its_images_no_name(gate: Gate, real_engine: Engine):
    """While a check looks, the engine holds an image of the run, and no name that it gave."""
    inside = gate.make()
    seen: list[tuple[str, list[str]]] = []

    def look(run_id: str) -> None:
        label = f"{litter.RUN}={run_id}"
        found = real_engine.client.images.list(filters={"label": label})
        seen.extend((image.id, image.tags) for image in found)

    run_id = inside.push(gate.repository("one"), "develop", files(check="'sleep 3'"))
    done = Event()

    def watch() -> None:
        while not done.wait(0.2):
            look(run_id)

    thread = Thread(target=watch)
    thread.start()
    try:
        run = inside.ended(run_id)
    finally:
        done.set()
        thread.join()
    assert run.state is State.SUCCEEDED, inside.log(run_id)
    assert seen, "it was looked at while there was an image"
    assert all(tags == [] for _, tags in seen)
    label = f"{litter.RUN}={run_id}"
    assert real_engine.client.images.list(filters={"label": label}) == []
