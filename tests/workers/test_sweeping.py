"""The sweep's daily work: done once, and soon again where something was left."""

import os
import socket
import time

import pytest
from structlog.testing import capture_logs

from workers.ledger import keys
from workers.source.lock import locked
from workers.upkeep import sweep

MARK = f"mirrors:{socket.gethostname()}"


@pytest.fixture
def mirror(yard):
    """The lock of a mirror that nobody asked for in a long time."""
    lock = yard.shop.settings.data_dir / "mirrors" / "1.lock"
    lock.with_suffix(".git").mkdir(parents=True)
    lock.touch()
    past = time.time() - (sweep.MIRROR_DAYS + 1) * sweep.DAY_SECONDS
    os.utime(lock, (past, past))
    return lock


def again(yard):
    """Seconds until the mirrors are looked at again."""
    return yard.ledger.redis.ttl(keys.once(MARK))


def test_mirrors_are_tended_once_a_day(yard, mirror):
    """The first sweep of the day removes what nobody wants; the next leaves all alone."""
    sweep.sweep(yard.shop)
    assert not mirror.with_suffix(".git").exists()
    assert sweep.HOUR_SECONDS < again(yard) <= sweep.DAY_SECONDS
    mirror.with_suffix(".git").mkdir()
    sweep.sweep(yard.shop)
    assert mirror.with_suffix(".git").exists()


def test_a_busy_mirror_is_looked_at_again_soon(yard, mirror):
    """It is said which one, and it does not wait for the next day."""
    with locked(mirror, None, 1), capture_logs() as logs:
        sweep.sweep(yard.shop)
    assert "1.lock was held" in next(
        line["error"] for line in logs if line["event"] == "mirrors_not_tended"
    )
    assert 0 < again(yard) <= sweep.HOUR_SECONDS
    yard.ledger.redis.delete(keys.once(MARK))
    sweep.sweep(yard.shop)
    assert not mirror.with_suffix(".git").exists()


def test_a_worker_that_dies_at_it_has_not_done_it(yard, mirror):
    """Only what was done is marked as done for the day."""
    mirror.unlink()
    mirror.symlink_to("/nonexistent/folder/lock")
    with pytest.raises(FileNotFoundError):
        sweep.sweep(yard.shop)
    mirror.unlink()
    mirror.touch()
    os.utime(mirror, (1, 1))
    sweep.sweep(yard.shop)
    assert not mirror.with_suffix(".git").exists()
