"""A process that ends while the connection to the broker is made anew does not end the worker."""

import os
import signal
from collections.abc import Iterator

import pytest
from celery import Celery
from celery.concurrency.prefork import TaskPool
from kombu.asynchronous import Hub, set_event_loop

from config.settings import settings
from workers.app import make
from workers.process.pool import Pool


@pytest.fixture
def hub() -> Iterator[Hub]:
    """An event loop like a worker's."""
    made = Hub()
    set_event_loop(made)
    yield made
    set_event_loop(None)
    made.close()


def _reconnects(kind: type[TaskPool], hub: Hub) -> None:
    """The consumer starts anew between a process's end and its being reaped."""
    pool = kind(limit=1, app=Celery("pool"), threads=False)
    pool.start()
    try:
        pool.register_with_event_loop(hub)
        (process,) = pool._pool._pool
        os.kill(process.pid, signal.SIGKILL)
        process.join(10)
        pool._pool._untrack_child_process(process, hub)
        pool.register_with_event_loop(hub)
        pool._pool.maintain_pool()
        (another,) = pool._pool._pool
        assert another.pid != process.pid
        assert another._sentinel_poll is not None
    finally:
        pool.terminate()


def test_celerys_own_pool_ends_the_worker(hub: Hub):
    """Where the guard is off: Celery takes None for a descriptor."""
    with pytest.raises(ValueError, match="descriptor"):
        _reconnects(TaskPool, hub)


def test_ours_goes_on(hub: Hub):
    """The process is reaped a moment later, and another one takes its place."""
    _reconnects(Pool, hub)


def test_a_worker_uses_it(monkeypatch: pytest.MonkeyPatch):
    """What Celery is told by our settings."""
    monkeypatch.setenv("SLIPWAY_CONFIG", "unread.toml")
    monkeypatch.setenv("GITHUB_WEBHOOK_SECRET", "a-secret-of-github")
    settings.cache_clear()
    try:
        assert make().conf.worker_pool == "workers.process.pool:Pool"
    finally:
        settings.cache_clear()
