"""The whole log as an email's attachment."""

import gzip
import random
from collections.abc import Iterator

import pytest

from tests.stand_ins.smtp import Smtp
from tests.whole_log.conftest import OPERATOR, Mill, lines, said
from workers.archive import store
from workers.ledger import keys
from workers.report import email

WITH_EMAIL = OPERATOR.replace(
    'branch = "develop"\n', 'branch = "develop"\nemail = ["team@example.com"]\n'
)


@pytest.fixture
def mail(mill: Mill) -> Iterator[Smtp]:
    """A mail server that the worker knows."""
    with Smtp() as server:
        mill.shop = mill.made(WITH_EMAIL, smtp_url=server.url, email_from="d@example.com")
        yield server


def body(mail: Smtp) -> str:
    """What the only email says."""
    (one,) = mail.mails
    part = one.message.get_body(("plain",))
    assert part
    return str(part.get_content())


def test_the_whole_log_is_attached(mill: Mill, mail: Smtp) -> None:
    """Packed, from its first line to the last, and the text says that it is whole."""
    run_id = mill.accept()
    mill.told(run_id, lines(5000), ends=False)
    mill.told(run_id, lines(10, 5000))
    mill.report(run_id)
    name, packed = mail.mails[0].attachment()
    assert name == f"{run_id}.log.gz"
    assert gzip.decompress(packed).decode() == said(lines(5010))
    assert "The whole log is attached." in body(mail)


def test_an_email_waits_for_the_log(mill: Mill, mail: Smtp) -> None:
    """As long as a part is on its way, for a minute at most; then the end has to do."""
    run_id = mill.accept()
    mill.strict.fail_next("PutObject", 5, status=503)
    mill.told(run_id, lines(5000))
    assert mill.strict.struck["PutObject"] == 5
    mill.report(run_id)
    assert mail.mails == []
    assert mill.redis.zscore(keys.REPORTS, run_id), "it is tried again"
    mill.age(run_id, email.PART_SECONDS)
    mill.report(run_id)
    _, packed = mail.mails[0].attachment()
    assert packed.decode() == mill.shop.ledger.history.text(run_id)
    assert "its end is attached, the whole is on the run's page" in body(mail)


def test_a_log_too_large_for_an_email_is_cut(mill: Mill, mail: Smtp) -> None:
    """Its end is attached, and the text says where the whole is."""
    noise = random.Random(7)
    run_id = mill.accept()
    with mill.visit(run_id) as (console, lease):
        for _ in range(26):
            console.say("test", "".join(f"{noise.randbytes(50).hex()}\n" for _ in range(10_000)))
        console.seal()
        mill.over(lease)
    mill.report(run_id)
    _, log = mail.mails[0].attachment()
    assert sum(part.size for part in mill.shop.ledger.parts.of(run_id)) > email.MOST_PACKED
    assert mill.strict.calls["GetObject"] == 0, "nothing so large is fetched"
    assert log.decode().startswith("[slipway] the first ")
    assert "its end is attached, the whole is on the run's page" in body(mail)


def test_a_log_with_a_gap_is_not_called_whole(mill: Mill, mail: Smtp) -> None:
    """What a lost worker said may be missing, and the email says so."""
    run_id = mill.accept()
    with mill.visit(run_id) as (console, _):
        console.say("test", lines(1000))
        console.flush()
        mill.redis.zadd(keys.LEASES, {run_id: 0})
        successor = mill.lease(run_id)
    mill.over(successor)
    store.sweep(mill.shop)
    mill.report(run_id)
    assert "The log is attached; it says where some of it is missing." in body(mail)
    _, packed = mail.mails[0].attachment()
    assert "its worker was lost here" in gzip.decompress(packed).decode()
