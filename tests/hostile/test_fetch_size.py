"""A repository's history takes no more of a worker's disk than the operator gives it."""

import os
from pathlib import Path

import pytest

from tests.hostile.gate import Gate, files
from tests.source.conftest import NAME
from tests.stand_ins.github import TOKEN, GitHub
from workers.ledger.model.errors import UserError
from workers.ledger.model.run import State
from workers.source import packs
from workers.source.git import Git
from workers.source.mirror import Mirror

MB = 1 << 20


def large(hub: GitHub, megabytes: float, branch: str = "master", **more: object) -> str:
    """A commit with a file that no compression makes smaller."""
    content = os.urandom(int(megabytes * MB))
    return hub.commit(NAME, branch, {"large.bin": content}, **more)  # type: ignore[arg-type]


def test_a_large_history_is_refused_before_it_is_on_the_disk(hub: GitHub, git: Git, url: str):
    """Without a limit it is fetched, whatever it takes; with one nothing of it stays."""
    commit = large(hub, 5)
    free = Mirror(git, 1)
    free.fetch(url, commit, TOKEN)
    assert packs.total(free.directory) > 5 * MB
    bounded = Mirror(git, 2, most=2 * MB)
    with pytest.raises(UserError, match=r"more than 2.1 MB.*SLIPWAY_FETCH_DISK"):
        bounded.fetch(url, commit, TOKEN)
    assert packs.total(bounded.directory) < 16 << 10


def test_history_that_was_deleted_is_refused_too(hub: GitHub, git: Git, url: str):
    """What the newest commit no longer holds has to be fetched all the same."""
    large(hub, 3)
    commit = hub.commit(NAME, "master", {"large.bin": None, "small": "1"})
    with pytest.raises(UserError, match="SLIPWAY_FETCH_DISK"):
        Mirror(git, 1, most=2 * MB).fetch(url, commit, TOKEN)


def test_many_fetches_take_no_more_than_one(hub: GitHub, git: Git, url: str):
    """What branches have left behind makes room for what they have now."""
    mirror = Mirror(git, 1, most=3 * MB)
    for number in range(4):
        commit = large(hub, 1.2, f"branch-{number}")
        assert mirror.fetch(url, commit, TOKEN).tree()
        assert packs.total(mirror.directory) < 3 * MB
    assert mirror.fetch(url, commit, TOKEN).tree()


def test_a_killed_fetch_leaves_no_part_of_a_pack(hub: GitHub, git: Git, url: str, mirror: Mirror):
    """What a worker that died had begun goes before the next fetch."""
    mirror.fetch(url, large(hub, 0.1), TOKEN)
    left = mirror.directory / "objects" / "pack" / "tmp_pack_AbCdEf"
    left.write_bytes(bytes(MB))
    mirror.fetch(url, large(hub, 0.1, "other"), TOKEN)
    assert not left.exists()


def test_the_run_says_whose_turn_it_is(gate: Gate, tmp_path: Path):
    """It fails as the repository's doing, with the limit's name; the worker goes on."""
    tree = files() | {"large.bin": os.urandom(3 * MB)}
    repository = gate.repository("large")
    run = gate.pushed(gate.make(fetch_disk="2m"), repository, tree)
    assert (run.state, run.fault) == (State.FAILED, "user")
    assert "SLIPWAY_FETCH_DISK" in (run.error or "")
    small = gate.pushed(gate.make("roomy"), gate.repository("roomy"), tree)
    assert small.state is State.SUCCEEDED, small.error
