"""The whole log of a run that says more than the ledger keeps, in S3 in parts."""

import os
import random
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.stand_ins.aws import AwsStandIn
from tests.whole_log.conftest import BUCKET, LIMIT, OPERATOR, SECRET, Mill, lines, park, said
from workers.archive import ending, store
from workers.aws import session
from workers.ledger import keys
from workers.ledger.model.errors import StoppedError
from workers.report.outbox import Outbox
from workers.upkeep import sweep


def test_a_small_log_has_no_parts(mill: Mill) -> None:
    """What the ledger keeps is archived as one text, and nothing is spooled."""
    run_id = mill.accept()
    mill.told(run_id, lines(100))
    assert mill.report(run_id) == f"s3://{BUCKET}/slipway/logs/{run_id}.txt"
    assert mill.stored(run_id) == []
    assert mill.cloud.read(BUCKET, f"slipway/logs/{run_id}.txt").decode() == said(lines(100))
    assert mill.spooled() == []


def test_a_large_log_is_whole_in_s3(mill: Mill) -> None:
    """Every line, in order, once; the ledger has its end, and a note of where the rest is."""
    run_id = mill.accept()
    with mill.visit(run_id) as (console, lease):
        for start in range(0, 20_000, 500):
            console.say("test", lines(500, start))
        console.seal()
        mill.over(lease)
    assert mill.report(run_id)
    assert mill.whole(run_id) == said(lines(20_000))
    cut = mill.shop.ledger.history.text(run_id)
    assert len(cut) < 2 * LIMIT
    assert cut.startswith("[slipway] the first ")
    assert f"; the whole log is in s3://{BUCKET}/slipway/logs/{run_id}/" in cut
    assert cut.endswith(said(lines(1, 19_999)))
    assert cut == mill.cloud.read(BUCKET, f"slipway/logs/{run_id}.txt").decode()
    assert mill.spooled() == []


def test_small_visits_make_a_large_log(mill: Mill) -> None:
    """What an earlier visit said, on whatever machine, is in the part of the one that cuts it."""
    run_id = mill.accept()
    for visit in range(5):
        mill.told(run_id, lines(150, visit * 150), ends=visit == 4)
    assert mill.report(run_id)
    assert 1 < len(mill.stored(run_id)) < 6
    assert mill.whole(run_id) == said(lines(750))


def test_a_large_visit_between_small_ones(mill: Mill) -> None:
    """Parts and rest join without a gap and without a line twice."""
    run_id = mill.accept()
    mill.told(run_id, lines(10), ends=False)
    mill.told(run_id, lines(3000, 10), ends=False)
    mill.told(run_id, lines(10, 3010), ends=False)
    mill.told(run_id, lines(3000, 3020), ends=False)
    mill.told(run_id, lines(10, 6020))
    assert mill.report(run_id)
    assert mill.whole(run_id) == said(lines(6030))


def test_several_sources_at_once_lose_nothing(mill: Mill) -> None:
    """Each source's lines are all there, in its order, and none is torn."""
    run_id = mill.accept()
    with mill.visit(run_id) as (console, lease):

        def speak(source: str) -> None:
            for start in range(0, 3000, 7):
                console.say(source, lines(7, start))

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(speak, "abcd"))
        console.seal()
        mill.over(lease)
    mill.report(run_id)
    whole = mill.whole(run_id).splitlines(keepends=True)
    for source in "abcd":
        mine = "".join(line for line in whole if line.startswith(f"[{source}] "))
        assert mine == said(lines(3003), source)
    assert len(whole) == 4 * 3003


def test_a_reporters_note_keeps_its_place(mill: Mill) -> None:
    """A note that comes while a visit spools is in the whole log once, cut or not."""
    run_id = mill.accept()
    with mill.visit(run_id) as (console, lease):
        console.say("test", lines(1000))
        _note(mill, run_id, "the first note")
        for start in range(1000, 9000, 100):
            console.say("test", lines(100, start))
            console.flush()
        assert "the first note" not in mill.shop.ledger.history.text(run_id)
        _note(mill, run_id, "the second note")
        console.say("test", lines(1, 9000))
        console.flush()
        assert "the second note" in mill.shop.ledger.history.text(run_id)
        console.seal()
        mill.over(lease)
    _note(mill, run_id, "the third note")
    mill.report(run_id)
    whole = mill.whole(run_id)
    assert [whole.count(f"[slack] the {n} note\n") for n in ("first", "second", "third")] == [1] * 3
    rest = "".join(line for line in whole.splitlines(keepends=True) if "[slack]" not in line)
    assert rest == said(lines(9001))


def _note(mill: Mill, run_id: str, text: str) -> None:
    outbox = Outbox.open(mill.shop.ledger, run_id, "t")
    assert outbox
    outbox.say(mill.run(run_id), "slack", text)
    outbox.close(None)


def test_a_flood_leaves_the_ledger_alone(mill: Mill) -> None:
    """Beyond the cap the ledger is told a few lines a tick, not all that is said."""
    run_id = mill.accept()
    before = mill.redis.info()["total_net_input_bytes"]
    text = lines(2000)
    with mill.visit(run_id) as (console, lease):
        for _ in range(100):
            console.say("test", text)
        console.seal()
        mill.over(lease)
    sent = mill.redis.info()["total_net_input_bytes"] - before
    assert sent < 2_000_000 < 100 * len(text)
    assert "are only in the whole log …" in mill.shop.ledger.history.text(run_id)
    mill.report(run_id)
    assert mill.whole(run_id) == said(text) * 100


def test_secrets_are_masked_in_the_whole_log(mill: Mill) -> None:
    """Also where a secret comes in pieces."""
    run_id = mill.accept()
    with mill.visit(run_id) as (console, lease):
        for _ in range(500):
            console.say("test", f"{lines(5)}before {SECRET} after")
        console.seal()
        mill.over(lease)
    mill.report(run_id)
    whole = mill.whole(run_id)
    assert SECRET not in whole
    assert whole.count("[test] before *** after\n") == 500


def test_a_visit_that_is_killed_is_recovered(mill: Mill, redis: object) -> None:
    """Its spool is brought to S3 by the next sweep, with a note; nothing stays on the disk."""
    run_id = mill.accept()
    lease = mill.lease(run_id)
    victim = subprocess.Popen(
        [sys.executable, "-c", VICTIM, str(mill.folder / "server.toml"), run_id, lease.fence],
        env=os.environ
        | {
            "SLIPWAY_CONFIG": str(mill.folder / "server.toml"),
            "SLIPWAY_DATA_DIR": str(mill.folder / "data"),
            "REDIS_URL": mill.shop.settings.redis_url,
            "GITHUB_WEBHOOK_SECRET": SECRET,
            "SLIPWAY_LOG_BYTES": str(LIMIT),
        },
        stdout=subprocess.PIPE,
    )
    assert victim.stdout
    assert victim.stdout.readline() == b"spooling\n"
    store.sweep(mill.shop)
    assert mill.stored(run_id) == [], "a living visit's spool is left alone"
    victim.send_signal(signal.SIGKILL)
    assert victim.wait() == -signal.SIGKILL
    assert mill.spooled() == [f"{run_id}_{lease.fence.zfill(12)}.part"]
    mill.redis.zadd(keys.LEASES, {run_id: 0})
    mill.told(run_id, lines(20, 900_000))
    _clear_pace(mill)
    sweep.sweep(mill.shop)
    assert mill.spooled() == []
    mill.report(run_id)
    whole = mill.whole(run_id)
    begun, lost, rest = whole.partition("[slipway] its worker was lost here")
    assert lost
    first = begun.splitlines(keepends=True)
    assert "".join(first[:-1]) == said(lines(len(first) - 1))
    assert len(first) > 5000
    assert rest.endswith(said(lines(20, 900_000)))


VICTIM = """
import sys, time
from config.settings import settings
from workers.attempt.console import Console
from workers.ledger.lease import Lease
from workers.ledger.scripts import Scripts
from workers.archive.writer import VisitLog
from workers.workshop import workshop
from tests.whole_log.conftest import lines
_, file, run_id, fence = sys.argv
shop = workshop()
lease = Lease(Scripts(shop.ledger.redis), run_id, fence, 60)
with Console(VisitLog(shop, shop.ledger.history.run(run_id), lease), shop.masker) as console:
    for start in range(0, 100_000, 100):
        console.say("test", lines(100, start))
    print("spooling", flush=True)
    time.sleep(60)
"""


def test_a_part_that_never_comes_is_noted(mill: Mill) -> None:
    """The archive waits for it a while; then a note stands in its place."""
    run_id = mill.accept()
    with mill.visit(run_id) as (console, _):
        console.say("test", lines(1000))
        console.flush()
        (spool,) = mill.shop.spools.iterdir()
        spool.unlink()
        mill.redis.zadd(keys.LEASES, {run_id: 0})
        mill.told(run_id, "the successor's words\n")
    assert mill.report(run_id) == ""
    assert mill.stored(run_id) == []
    mill.age(run_id, ending.PATIENCE_SECONDS)
    _end_pauses(mill, run_id)
    assert mill.report(run_id)
    whole = mill.whole(run_id)
    assert whole.startswith("[slipway] a part of the log is missing here")
    assert "[test] the successor's words\n" in whole
    assert "[archive] the whole log lacks a part" in mill.shop.ledger.history.text(run_id)
    mill.report(run_id)
    assert mill.whole(run_id) == whole, "once is enough"


def test_s3_that_is_away_loses_nothing(mill: Mill) -> None:
    """The run ends as it would; its part waits on the disk, and the archive for the part."""
    run_id = mill.accept()
    mill.strict.fail_next("PutObject", 5, status=503)
    mill.told(run_id, lines(2000))
    assert mill.strict.struck["PutObject"] == 5
    assert str(mill.run(run_id).state) == "succeeded"
    assert mill.spooled() == [f"{run_id}_{_fence(mill, run_id)}.log.gz"]
    assert mill.report(run_id) == "", "not archived before its part is there"
    mill.strict.fail_next("PutObject", 5, status=503)
    store.sweep(mill.shop)
    assert mill.strict.struck["PutObject"] == 10
    store.sweep(mill.shop)
    assert mill.strict.struck["PutObject"] == 10, "not at every sweep"
    _clear_pace(mill)
    store.sweep(mill.shop)
    assert mill.spooled() == []
    assert mill.report(run_id), "the part's coming ends the archive's pause"
    assert mill.whole(run_id) == said(lines(2000))


def _fence(mill: Mill, run_id: str) -> str:
    return str(mill.redis.hget(keys.run(run_id), "fence")).zfill(12)


def _clear_pace(mill: Mill) -> None:
    for key in mill.redis.keys(keys.once("spool:*")):
        mill.redis.delete(key)


def _end_pauses(mill: Mill, run_id: str) -> None:
    told = mill.redis.hget(keys.run(run_id), "told")
    assert "archive|pause" in told
    mill.redis.hset(keys.run(run_id), "told", "{}")


def test_a_spool_of_nobody_goes(mill: Mill) -> None:
    """What belongs to a forgotten run, or could not be stored for a day, is only removed."""
    mill.shop.spools.mkdir(parents=True)
    (mill.shop.spools / "unknown_000000000007.part").write_bytes(b"?")
    run_id = mill.accept()
    old = mill.shop.spools / f"{run_id}_000000000007.log.gz"
    old.write_bytes(b"?")
    os.utime(old, (time.time() - 90_000,) * 2)
    store.sweep(mill.shop)
    assert mill.spooled() == []
    assert mill.stored(run_id) == []


def test_the_largest_size_is_kept(mill: Mill) -> None:
    """Beyond it nothing is spooled, a note says so, and the run's last lines follow."""
    mill.shop = mill.made(whole_log_bytes=100_000)
    run_id = mill.accept()
    mill.told(run_id, lines(1000), ends=False)
    with mill.visit(run_id) as (console, lease):
        for start in range(1000, 50_000, 500):
            console.say("test", lines(500, start))
            assert sum(path.stat().st_size for path in mill.shop.spools.iterdir()) < 100_000
        console.seal()
        park(lease)
    mill.told(run_id, lines(5, 50_000))
    mill.report(run_id)
    whole = mill.whole(run_id)
    begun, full, rest = whole.partition("[slipway] the whole log has reached its largest size")
    assert full
    assert begun == said(lines(begun.count("\n")))
    assert 95_000 < len(begun) <= 100_000
    assert len(rest) < 3 * LIMIT
    assert rest.endswith(said(lines(5, 50_000)))


def test_without_a_bucket_the_log_is_cut_as_ever(mill: Mill) -> None:
    """There is nowhere to put the whole, and no note claims it."""
    mill.shop = mill.made(OPERATOR.replace(f'bucket = "{BUCKET}"\n', ""))
    run_id = mill.accept()
    mill.told(run_id, lines(2000))
    assert mill.report(run_id) == "in the ledger"
    text = mill.shop.ledger.history.text(run_id)
    assert "bytes of this log were cut\n" in text
    assert text.endswith(said(lines(1, 1999)))
    assert mill.spooled() == []


def test_a_full_disk_fails_nothing(mill: Mill) -> None:
    """A spool that can't be made leaves the log as it would be without."""
    mill.shop.settings.data_dir.mkdir()
    mill.shop.spools.write_text("in the way")
    run_id = mill.accept()
    mill.told(run_id, lines(2000))
    assert mill.shop.ledger.history.text(run_id).endswith(said(lines(1, 1999)))


def test_a_late_note_is_added_to_the_whole(mill: Mill) -> None:
    """What a reporter notes after the archive is in it when that is made anew."""
    run_id = mill.accept()
    mill.told(run_id, lines(1000))
    assert mill.report(run_id)
    _note(mill, run_id, "too late")
    assert mill.report(run_id)
    assert mill.whole(run_id) == said(lines(1000)) + "[slack] too late\n"


def test_a_forgotten_run_leaves_no_keys(mill: Mill) -> None:
    """The book of a whole log goes with its run."""
    run_id = mill.accept()
    mill.told(run_id, lines(1000))
    mill.report(run_id)
    mill.report(run_id)
    assert mill.redis.exists(keys.parts(run_id))
    assert mill.shop.ledger.prune(keep=0, days=90) == 1
    assert not mill.redis.exists(keys.parts(run_id))


def test_a_lost_lease_claims_nothing(mill: Mill) -> None:
    """A visit whose run is another's does not seal; what it spooled comes with the note."""
    run_id = mill.accept()
    with mill.visit(run_id) as (console, lease):
        console.say("test", lines(1000))
        console.flush()
        mill.redis.zadd(keys.LEASES, {run_id: 0})
        successor = mill.lease(run_id)
        console.seal()
        with pytest.raises(StoppedError):
            mill.over(lease)
    mill.over(successor)
    assert mill.redis.hget(keys.run(run_id), "log_mark") is None
    store.sweep(mill.shop)
    mill.report(run_id)
    assert said(lines(1000)) in mill.whole(run_id)
    assert "its worker was lost here" in mill.whole(run_id)


def test_100_mb_in_little_memory(
    mill: Mill, aws: AwsStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """100 MB of text that packs badly, in seconds, within 40 MB more than before."""
    # The strict AWS holds what is sent, in this process.
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.url)
    session._known.forget()
    mill.shop = mill.made(log_bytes=2_000_000)
    noise = random.Random(7)
    block = "".join(f"{noise.randbytes(45).hex()}\n" for _ in range(10_000))
    # A process's first way to S3 costs memory of its own.
    _flood(mill, block, 4)
    before = _memory()
    run_id = _flood(mill, block, 110)
    assert _memory() - before < 40_000_000
    mill.report(run_id)
    whole = mill.whole(run_id)
    assert len(whole) > 100_000_000
    assert whole == said(block) * 110


def _flood(mill: Mill, block: str, times: int) -> str:
    """A run that says so much in one visit; its id."""
    run_id = mill.accept()
    with mill.visit(run_id) as (console, lease):
        for _ in range(times):
            console.say("test", block)
        console.seal()
        mill.over(lease)
    return run_id


def _memory() -> int:
    """The peak of this process, in bytes."""
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
