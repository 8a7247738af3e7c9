"""The whole log over HTTP: out of S3 through a worker, a piece at a time."""

import gzip
import random
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from service import create_app
from service.api import whole_log
from service.followers import MOST_FOLLOWERS
from tests.whole_log.conftest import BUCKET, Mill, lines, said
from workers.archive import reading
from workers.ledger import keys, messages
from workers.ledger.parts import PIECE_BYTES
from workers.ledger.unpacking import MOST_BYTES, unpacked

TOKENS = "ann:anns-own-token"
BEARER = {"Authorization": "Bearer anns-own-token"}


@pytest.fixture
def app(mill: Mill) -> Any:
    """The web process's application."""
    mill.shop = mill.made(api_tokens=TOKENS)
    return create_app(mill.shop.settings, mill.shop.operator)


@pytest.fixture
def worker(mill: Mill) -> Iterator[list[str]]:
    """Answers the bells of readers, as a worker's task does; the pieces that it brought."""
    ended = threading.Event()
    brought: list[str] = []

    def listen() -> None:
        while not ended.is_set():
            found = mill.shop.ledger.redis.brpop([messages.key(messages.REPORTS_ON)], timeout=0.1)
            if found and '"workers.bring"' in found[1]:
                for run_id in [key.rpartition(":")[2] for key in mill.redis.keys(keys.wanted("*"))]:
                    reading.serve(mill.shop, run_id)
                    brought.append(run_id)

    thread = threading.Thread(target=listen)
    thread.start()
    yield brought
    ended.set()
    thread.join()


def large(mill: Mill, count: int = 3000) -> str:
    """An ended run whose whole log is in S3."""
    run_id = mill.accept()
    mill.told(run_id, lines(count))
    assert mill.report(run_id)
    return run_id


def get(app: Any, run_id: str, query: str = "", headers: Any = BEARER, method: str = "GET") -> Any:
    """Ask for the log."""
    path = f"/api/v1/runs/{run_id}/log{query}"
    return app.test_client().open(path, method=method, headers=headers)


def test_the_whole_log_is_served(mill: Mill, app: Any, worker: list[str]) -> None:
    """Every line, as text, with the headers of every log; the cut one for who goes on."""
    run_id = large(mill)
    answer = get(app, run_id)
    assert (answer.status_code, answer.text) == (200, said(lines(3000)))
    assert answer.content_type == "text/plain; charset=utf-8"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    cursor = answer.headers["X-Slipway-Log-Cursor"]
    assert get(app, run_id, f"?after={cursor}").text == ""
    assert worker
    count = len(worker)
    cut = get(app, run_id, "?after=").text
    assert cut == mill.shop.ledger.history.text(run_id)
    assert cut.startswith("[slipway] the first ")
    assert len(worker) == count, "the cut one needs no worker"


def test_the_whole_log_outlives_the_cut_one(mill: Mill, app: Any, worker: list[str]) -> None:
    """It is read from S3 when the ledger has dropped its own copy long since."""
    run_id = large(mill)
    mill.redis.delete(keys.log(run_id))
    assert get(app, run_id).text == said(lines(3000))


def test_a_running_log_is_cut(mill: Mill, app: Any) -> None:
    """As long as the run goes on, and until its archive is there, it is what the ledger has."""
    run_id = mill.accept()
    with mill.visit(run_id) as (console, lease):
        console.say("test", lines(3000))
        console.flush()
        text = get(app, run_id).text
        assert text.startswith("[slipway] the first ")
        assert text.endswith(said(lines(1, 2999)))
        console.seal()
        mill.over(lease)
    assert get(app, run_id).text.startswith("[slipway] the first ")


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}])
def test_strangers_get_nothing(mill: Mill, app: Any, worker: list[str], headers: Any) -> None:
    """Who has no token is refused, and no worker is asked."""
    run_id = large(mill)
    answer = get(app, run_id, headers=headers)
    assert answer.status_code == 401
    assert "[test]" not in answer.text
    assert worker == []


def test_one_who_only_asks_for_the_head_bothers_nobody(mill: Mill, app: Any) -> None:
    """HEAD has the type and no body."""
    answer = get(app, large(mill), method="HEAD")
    assert (answer.status_code, answer.text) == (200, "")


def test_pieces_join(mill: Mill, app: Any, worker: list[str]) -> None:
    """A packed log of several pieces comes whole, and nothing of it stays in the ledger."""
    mill.shop = mill.made(api_tokens=TOKENS, log_bytes=2_000_000)
    run_id = mill.accept()
    noise = _noise(40_000)
    mill.told(run_id, noise)
    mill.report(run_id)
    (first, _) = mill.shop.ledger.parts.whole(run_id)
    assert first.size > PIECE_BYTES
    assert get(app, run_id).text == said(noise)
    assert mill.redis.keys(keys.piece(run_id, "*")) == []


def _noise(count: int) -> str:
    noise = random.Random(7)
    return "".join(f"{noise.randbytes(45).hex()}\n" for _ in range(count))


def test_the_web_process_holds_little(mill: Mill, app: Any, worker: list[str]) -> None:
    """However much a packed piece means, text comes in small pieces."""
    mill.shop = mill.made(api_tokens=TOKENS, log_bytes=2_000_000)
    run_id = mill.accept()
    with mill.visit(run_id) as (console, lease):
        for _ in range(30):
            console.say("test", "x" * 78 + "\n" + "y\n" * 400_000)
        console.seal()
        mill.over(lease)
    mill.report(run_id)
    with app.test_request_context(f"/api/v1/runs/{run_id}/log", headers=BEARER):
        sizes = [len(text) for text in app.view_functions["api.runs.log"](run_id).response]
    assert sum(sizes) > 100_000_000
    assert max(sizes) <= MOST_BYTES


def test_a_deleted_part_leaves_the_cut_log(mill: Mill, app: Any, worker: list[str]) -> None:
    """Who deletes old logs in S3 leaves what the ledger has."""
    run_id = large(mill)
    for name in mill.stored(run_id):
        mill.cloud.client("s3").delete_object(Bucket=BUCKET, Key=f"slipway/logs/{run_id}/{name}")
    assert get(app, run_id).text == mill.shop.ledger.history.text(run_id)


def test_s3_out_of_reach_is_said(mill: Mill, app: Any, worker: list[str]) -> None:
    """503 and when to ask again, with S3's own trouble; then it comes."""
    run_id = large(mill)
    mill.strict.fail_next("GetObject", 10, status=503)
    answer = get(app, run_id)
    assert mill.strict.struck["GetObject"] >= 5
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "could not be brought from S3" in answer.json["detail"]


def test_a_reader_without_a_worker_is_told(mill: Mill, app: Any) -> None:
    """503, not an answer that never ends; its seat is free again."""
    run_id = large(mill)
    answer = get(app, run_id)
    assert answer.status_code == 503
    assert "no worker" in answer.json["detail"]
    followers = app.extensions["slipway"].followers
    assert all(followers.sit() for _ in range(MOST_FOLLOWERS))
    assert get(app, run_id).headers["Retry-After"] == "10"


def test_an_answer_that_breaks_off_does_not_look_whole(
    mill: Mill, app: Any, worker: list[str]
) -> None:
    """A piece in the middle that can't be brought breaks the answer off; it doesn't look whole."""
    mill.shop = mill.made(api_tokens=TOKENS, log_bytes=2_000_000)
    run_id = mill.accept()
    mill.told(run_id, _noise(80_000))
    mill.report(run_id)
    with app.test_request_context(f"/api/v1/runs/{run_id}/log", headers=BEARER):
        text = iter(app.view_functions["api.runs.log"](run_id).response)
        next(text)
        mill.strict.fail_next("GetObject", 50, status=503)
        with pytest.raises(whole_log.PieceError):
            list(text)
    assert mill.strict.struck["GetObject"]


def test_half_a_gzip_is_read_as_far_as_it_goes() -> None:
    """Neither a cut end nor rubbish after it raises."""
    packed = gzip.compress(b"one\n") + gzip.compress(b"two\n" * 1000)
    assert b"".join(unpacked([packed[:5], packed[5:]])) == b"one\n" + b"two\n" * 1000
    assert b"".join(unpacked([packed[:-9]])).startswith(b"one\n")
    assert b"".join(unpacked([packed, b"rubbish"])) == b"one\n" + b"two\n" * 1000
