"""The sweep's daily work: done once, and soon again where something was left."""

import os
import socket
import time

import pytest
from structlog.testing import capture_logs

from workers import sweeping
from workers.ledger import keys
from workers.source.lock import locked

MARK = f"mirrors:{socket.gethostname()}"


@pytest.fixture
def mirror(yard):
    """The lock of a mirror that nobody asked for in a long time."""
    lock = yard.shop.settings.data_dir / "mirrors" / "1.lock"
    lock.with_suffix(".git").mkdir(parents=True)
    lock.touch()
    past = time.time() - (sweeping.MIRROR_DAYS + 1) * sweeping.DAY_SECONDS
    os.utime(lock, (past, past))
    return lock


def again(yard):
    """Seconds until the mirrors are looked at again."""
    return yard.ledger.redis.ttl(keys.once(MARK))


def test_mirrors_are_tended_once_a_day(yard, mirror):
    """The first sweep of the day removes what nobody wants; the next leaves all alone."""
    sweeping.sweep(yard.shop)
    assert not mirror.with_suffix(".git").exists()
    assert sweeping.HOUR_SECONDS < again(yard) <= sweeping.DAY_SECONDS
    mirror.with_suffix(".git").mkdir()
    sweeping.sweep(yard.shop)
    assert mirror.with_suffix(".git").exists()


def test_a_busy_mirror_is_looked_at_again_soon(yard, mirror):
    """It is said which one, and it does not wait for the next day."""
    with locked(mirror, None, 1), capture_logs() as logs:
        sweeping.sweep(yard.shop)
    assert "1.lock was held" in next(
        line["error"] for line in logs if line["event"] == "mirrors_not_tended"
    )
    assert 0 < again(yard) <= sweeping.HOUR_SECONDS
    yard.ledger.redis.delete(keys.once(MARK))
    sweeping.sweep(yard.shop)
    assert not mirror.with_suffix(".git").exists()


def test_a_worker_that_dies_at_it_has_not_done_it(yard, mirror):
    """Only what was done is marked as done for the day."""
    mirror.unlink()
    mirror.symlink_to("/nonexistent/folder/lock")
    with pytest.raises(FileNotFoundError):
        sweeping.sweep(yard.shop)
    mirror.unlink()
    mirror.touch()
    os.utime(mirror, (1, 1))
    sweeping.sweep(yard.shop)
    assert not mirror.with_suffix(".git").exists()
