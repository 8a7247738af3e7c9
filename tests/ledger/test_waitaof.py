"""On a Redis that syncs when it likes, 202 waits for the sync of the very write it speaks of."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import redis as redis_py

from local.redis import EmbeddedRedis
from tests.ledger.conftest import Book, guest
from tests.ledger.test_intake import Loop
from tests.orders import order
from tests.stand_ins.newer_redis import newer_redis
from workers.ledger import Accepted
from workers.ledger.connection import hasty, needs_waitaof, refuse_lossy

pytestmark = pytest.mark.soak
MANY = 64


class Managed:
    """A server with WAITAOF that syncs once a second; its guests may change no setting."""

    def __init__(self, server: EmbeddedRedis) -> None:
        self.server = server
        self.url = guest(server, ["-config"])

    def owner(self) -> redis_py.Redis:
        """A client that may do anything."""
        return redis_py.Redis.from_url(self.server.url, decode_responses=True)


@pytest.fixture
def managed(cache: Path, tmp_path: Path) -> Iterator[Managed]:
    """As clouds offer it."""
    program = newer_redis(cache)
    with EmbeddedRedis(tmp_path, executable=program, appendfsync="everysec") as server:
        yield Managed(server)


def asked(monitor: redis_py.client.Monitor) -> int:
    """How often WAITAOF came until the word "over", each on a connection that had just written."""
    wrote: set[str] = set()
    count = 0
    while (seen := monitor.next_command())["command"] != "ECHO over":
        where = f"{seen['client_address']}:{seen['client_port']}"
        if seen["command"].startswith("EVALSHA"):
            wrote.add(where)
        elif seen["command"].startswith("WAITAOF"):
            assert where in wrote, "WAITAOF on a connection that wrote nothing"
            wrote.discard(where)
            count += 1
    return count


def test_the_door_waits_for_the_sync_of_its_own_writes(managed: Managed) -> None:
    """All are taken on, over one connection, and none before a WAITAOF behind it."""
    loop = Loop(managed.url)
    with managed.owner() as owner, owner.monitor() as monitor:
        for number in range(MANY):
            loop.accept(str(number), commit=f"{number:040x}")
        answers = loop.until(MANY, seconds=10)
        owner.echo("over")
        assert asked(monitor) >= 1
    assert owner.config_get("appendfsync") == {"appendfsync": "everysec"}
    assert {type(answer) for answer in answers.values()} == {Accepted}
    loop.close()


@pytest.mark.parametrize("rights", [["-config"], ["-config", "+config|get"]])
def test_who_forbids_config_is_not_refused(managed: Managed, rights: list[str]) -> None:
    """Processes start on it, and know that each acceptance has to wait."""
    url = guest(managed.server, rights)
    with pytest.raises(redis_py.exceptions.NoPermissionError):
        redis_py.Redis.from_url(url).config_set("appendfsync", "always")
    assert refuse_lossy(url) is None
    assert needs_waitaof(hasty(url))


def test_whoever_may_set_it_up_has_each_write_synced(managed: Managed) -> None:
    """WAITAOF on `everysec` takes up to a second, so it is not left at that."""
    book = Book(hasty(managed.server.url))
    with managed.owner() as owner, owner.monitor() as monitor, ThreadPoolExecutor(8) as pool:
        orders = [order(commit=f"{number:040x}") for number in range(MANY)]
        assert len(set(pool.map(book.take_on, orders))) == MANY
        owner.echo("over")
        assert asked(monitor) == 0
        assert owner.config_get("appendfsync") == {"appendfsync": "always"}


def test_a_sync_that_can_not_be_had_is_no_acceptance(managed: Managed) -> None:
    """Once the file is switched off there are errors, and no promise."""
    loop = Loop(managed.url)
    loop.accept("before", commit="e" * 40)
    assert isinstance(loop.until(1)["before"], Accepted)
    with managed.owner() as owner:
        owner.config_set("appendonly", "no")
    loop.accept("after", commit="f" * 40)
    assert isinstance(loop.until(2)["after"], Exception)
    loop.close()
