"""Disks, quotas, descriptors and memory that run out pass; nothing of a killed build stays."""

import errno
import os
import resource
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.docker.conftest import LeaseLostError, Losing, labels, real_engine
from workers import __main__ as program
from workers.attempt import free
from workers.docker import images
from workers.docker.bounds import Bounds
from workers.docker.disk import full
from workers.docker.engine import Engine
from workers.ledger.model.errors import BusyError, PassingError, RoomError
from workers.ledger.model.shortage import shortage
from workers.source.faults import diagnose, fault
from workers.source.git import Git, Result

__all__ = ["labels", "real_engine"]


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A file system of 4 MB."""
    folder = tmp_path / "small"
    folder.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m,nr_inodes=64", "tmpfs", str(folder)], check=False
    )
    if made.returncode:
        pytest.skip("no file system may be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def raised(act: Callable[[int], object]) -> OSError:
    """The OSError that an act raises when it is repeated often enough."""
    for number in range(10_000):
        try:
            act(number)
        except OSError as error:
            return error
    raise AssertionError("nothing ran out")


def filled(folder: Path) -> OSError:
    """What Python raises when a file system is filled to its end."""
    with (folder / "filler").open("wb", buffering=0) as file:
        return raised(lambda _number: file.write(bytes(1 << 16)))


def test_no_room_passes_and_names_the_folder(small: Path):
    """A real ENOSPC is a passing fault, also where another error hides it."""
    struck = filled(small)
    assert struck.errno == errno.ENOSPC
    found = shortage(struck, small)
    assert isinstance(found, PassingError)
    assert f"at {small}" in str(found)
    hidden = ValueError("a zip that could not be written")
    hidden.__cause__ = struck
    assert shortage(hidden, small)


def test_no_inodes_pass(small: Path):
    """A file system without inodes is as full as one without room."""
    struck = raised(lambda number: (small / str(number)).touch())
    assert f"at {small}" in str(shortage(struck, Path("/elsewhere")))


def test_the_descriptor_limit_passes():
    """Too many open files are nobody's fault in a repository."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    kept: list[int] = []
    try:
        resource.setrlimit(
            resource.RLIMIT_NOFILE, (len(list(Path("/proc/self/fd").iterdir())) + 8, hard)
        )
        struck = raised(lambda _number: kept.append(os.open("/dev/null", os.O_RDONLY)))
    finally:
        for descriptor in kept:
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert "descriptor limit" in str(shortage(struck, Path("/data")))


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.EDQUOT, "Disk quota exceeded"),
        OSError(errno.ENFILE, "Too many open files in system"),
        OSError(errno.ENOMEM, "Cannot allocate memory"),
        BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable"),
        MemoryError(),
        RuntimeError("can't start new thread"),
    ],
    ids=repr,
)
def test_every_shortage_of_the_machine_passes(error: BaseException):
    """Whatever the machine has run out of, the folder at which it happened is named."""
    assert "at /data" in str(shortage(error, Path("/data")))


@pytest.mark.parametrize("error", [FileNotFoundError(2, "no"), KeyError("x"), OSError("odd")])
def test_a_mistake_of_ours_is_no_shortage(error: BaseException):
    """What is no shortage is still told as what it is."""
    assert shortage(error, Path("/data")) is None


def test_git_on_a_full_disk_passes(small: Path):
    """Git's own words for it are known: the fetch is tried again."""
    filled(small)
    result = Git(small).run("init", "--bare", str(small / "mirror.git"))
    assert result.code
    found = fault(diagnose(result), "octo/movies", "commit 1", result)
    assert isinstance(found, PassingError)
    assert "SLIPWAY_DATA_DIR" in str(found)


@pytest.mark.parametrize(
    "said", ["fatal: cannot allocate memory", "error: cannot fork() for index-pack: x"]
)
def test_git_without_memory_or_processes_passes(said: str):
    """The same for what else a machine may be short of."""
    result = Result(128, b"", said)
    assert isinstance(fault(diagnose(result), "octo/movies", "commit 1", result), PassingError)


def test_no_run_starts_below_the_floor(small: Path):
    """With room it starts; on a full disk it waits, and says where there is none."""
    free.demand("1g", small)
    filled(small)
    with pytest.raises(RoomError, match=str(small)) as waits:
        free.demand("1g", small)
    assert isinstance(waits.value, BusyError), "it counts as no failure"
    free.demand("1g", None, Path("/nowhere"))


def test_programs_that_find_no_room_are_known():
    """In the words of C, Python and Node; a full /dev/shm is the container's own."""
    assert full("cp: error writing 'x': No space left on device")
    assert full("a line\nOSError: [Errno 28] No space left on device: '/app/x'\nmore")
    assert full("npm ERR! code ENOSPC")
    assert not full("all good")
    assert not full("OSError: [Errno 28] No space left on device: '/dev/shm/x'")


def test_the_data_folder_is_nobody_elses(tmp_path: Path):
    """A new one is closed to others, and so is one that was open."""
    fresh, old = tmp_path / "fresh" / "data", tmp_path / "old"
    old.mkdir(mode=0o755)
    for folder in (fresh, old):
        program._try_to_write(folder)
        assert folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.docker
def test_nothing_of_a_build_stays_in_the_temporary_folder(
    real_engine: Engine, python_image: str, labels: dict[str, str], tmp_path: Path
):
    """What a build needs lies beside its source, with which it goes when a worker is killed."""
    before = set(Path(tempfile.gettempdir()).iterdir())
    source = tmp_path / "visit" / "source"
    source.mkdir(parents=True)
    (source / "Dockerfile").write_text(f"FROM {python_image}\nRUN sleep 20\n")
    seen: set[str] = set()

    class Looking(Losing):
        """Loses its lease, and sees what is there before."""

        def check(self) -> None:
            """Note what lies beside the source."""
            seen.update(found.name for found in source.parent.iterdir())
            super().check()

    with pytest.raises(LeaseLostError):
        images.build(
            real_engine,
            source,
            "Dockerfile",
            bounds=Bounds("none", "tests"),
            args={},
            labels=labels,
            timeout=60,
            say=lambda _text: None,
            watch=Looking(3),
        )
    assert any(name.startswith("slipway-build-") for name in seen), "it was there"
    assert list(source.parent.iterdir()) == [source]
    after = set(Path(tempfile.gettempdir()).iterdir())
    assert not [found for found in after - before if found.name.startswith("slipway-build-")]
