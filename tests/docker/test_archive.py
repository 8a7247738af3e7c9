"""Tests of taking files out of an image, up to the package."""

import io
import tarfile
from pathlib import Path

import pytest

from tests.docker.conftest import LeaseLostError, Losing, Quiet
from tests.docker.test_package import contents
from workers.docker import images, litter
from workers.docker.archive import export
from workers.docker.bounds import Bounds
from workers.docker.engine import Engine
from workers.ledger.model.errors import OurError, UserError
from workers.packaging.package import Package, package
from workers.packaging.selection import Selection

pytestmark = pytest.mark.docker

STEPS = """
RUN mkdir -p /app/sub /empty && echo hi > /app/sub/x && chmod 755 /app/sub/x \
 && ln /app/sub/x /app/sub/hard && ln -s sub/x /app/soft && ln -s /app/sub /app/folder \
 && ln -s /app /link && echo binary > /bootstrap && ln -s /bootstrap /filelink \
 && head -c 30000000 /dev/urandom > /app/big && mkdir /app/d && mkfifo /app/d/pipe
"""


@pytest.fixture
def image(
    real_engine: Engine, python_image: str, context: Path, labels: dict[str, str], quiet: Quiet
) -> str:
    """An image with something of everything."""
    (context / "Dockerfile").write_text(f"FROM {python_image}\n{STEPS}")
    return images.build(
        real_engine,
        context,
        "Dockerfile",
        bounds=Bounds("none", "tests"),
        args={},
        labels=labels,
        timeout=100,
        say=print,
        watch=quiet,
    )


def pack(engine: Engine, image: str, path: str, folder: Path, **more: tuple) -> Package:
    """The package of a path in the image."""
    with export(engine, image, path, litter.labels("archive", 1), Quiet()) as tar:
        return package(tar, {"f": Selection(**more)}, folder, root=path)["f"]


def none_left(engine: Engine) -> bool:
    """Whether no container of these tests is there."""
    label = f"{litter.RUN}=archive"
    return not engine.client.containers.list(all=True, filters={"label": label})


@pytest.mark.parametrize("path", ["/app", "/app/", "/link"])
def test_a_folder_becomes_a_package(real_engine: Engine, image: str, tmp_path: Path, path: str):
    """A folder, also behind a link, arrives with its links resolved; no container is left."""
    made = pack(real_engine, image, path, tmp_path, exclude=("big", "d", "folder"))
    assert contents(made) == dict.fromkeys(["soft", "sub/hard", "sub/x"], b"hi\n")
    assert none_left(real_engine)


def test_absolute_links_and_twice_the_same(real_engine: Engine, image: str, tmp_path: Path):
    """Links by their path in the image are followed, and two exports give the same bytes."""
    first = pack(real_engine, image, "/app", tmp_path, exclude=("d",))
    again = pack(real_engine, image, "/app", tmp_path, exclude=("d",))
    assert contents(first)["folder/x"] == b"hi\n"
    assert len(contents(first)["big"]) == 30_000_000
    assert first == again


def test_a_file_becomes_a_package(real_engine: Engine, image: str, tmp_path: Path):
    """A build path may be one file."""
    assert contents(pack(real_engine, image, "/bootstrap", tmp_path)) == {"bootstrap": b"binary\n"}


def test_a_path_that_is_not_there(real_engine: Engine, image: str, tmp_path: Path):
    """A missing path is named, with the setting to mend."""
    with pytest.raises(UserError, match=r"there is no /nope in the image, whose .* works in /"):
        pack(real_engine, image, "/nope", tmp_path)
    assert none_left(real_engine)


def test_an_empty_folder(real_engine: Engine, image: str, tmp_path: Path):
    """A folder without files is no package."""
    with pytest.raises(UserError, match="would be empty"):
        pack(real_engine, image, "/empty", tmp_path)


def test_a_pipe_is_refused(real_engine: Engine, image: str, tmp_path: Path):
    """A pipe that the image holds is named."""
    with pytest.raises(UserError, match="'d/pipe' is a named pipe"):
        pack(real_engine, image, "/app", tmp_path)
    assert none_left(real_engine)


def test_a_reader_that_stops_early(real_engine: Engine, image: str):
    """A stream that is left in the middle frees the container for removal."""
    with export(real_engine, image, "/app", litter.labels("archive", 1), Quiet()) as tar:
        assert next(tar)
    assert none_left(real_engine)
    with (
        pytest.raises(LeaseLostError),
        export(real_engine, image, "/app", litter.labels("archive", 1), Losing(-1)) as tar,
    ):
        next(tar)
    assert none_left(real_engine)


def test_the_stream_is_a_plain_tar(real_engine: Engine, image: str):
    """Others can read the stream as well."""
    with export(real_engine, image, "/app/sub", litter.labels("archive", 1), Quiet()) as tar:
        data = io.BytesIO(b"".join(tar))
    with tarfile.open(fileobj=data) as file:
        assert file.getnames() == [".", "./hard", "./x"]


def test_an_image_that_is_gone(real_engine: Engine, tmp_path: Path):
    """An image that was removed is not the user's fault."""
    with pytest.raises(OurError, match="gone"):
        pack(real_engine, "slipway/tests:never", "/app", tmp_path)


def test_litter_goes_by_run_and_fence(real_engine: Engine, image: str):
    """The sweep takes what is not live in its own ledger, and nothing else."""
    client = real_engine.client
    made = {
        name: client.containers.create(image, ["true"], labels=litter.labels(name, fence, "ours"))
        for name, fence in (("live", 7), ("old", 6), ("dead", 1))
    }
    other_ledger = litter.labels("dead", 1, "theirs")
    stranger = client.containers.create(image, ["true"], labels=other_ledger)
    broken = litter.labels("x", 1, "ours") | {litter.FENCE: "?"}
    damaged = client.containers.create(image, ["true"], labels=broken)
    asked = []

    def is_live(run: str, fence: int) -> bool:
        asked.append((run, fence))
        return run not in ("old", "dead", "x")

    try:
        assert litter.sweep(real_engine, is_live, "ours") == 3
        ours = {("live", 7), ("old", 6), ("dead", 1), ("x", -1)}
        assert ours <= set(asked)
        left = {container.id for container in client.containers.list(all=True)}
        assert {made["live"].id, stranger.id} <= left
        assert not {made["old"].id, made["dead"].id, damaged.id} & left
        assert litter.remove_run(real_engine, "live") == 1
        assert litter.remove_run(real_engine, "live") == 0
    finally:
        stranger.remove(force=True)


def test_litter_takes_images(real_engine: Engine, image: str, labels: dict[str, str]):
    """A run's image goes with the run."""
    assert real_engine.client.images.get(image)
    assert litter.remove_run(real_engine, labels[litter.RUN]) == 1
    assert image not in [one.id for one in real_engine.client.images.list()]
