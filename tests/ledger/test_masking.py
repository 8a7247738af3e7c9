"""No secret gets into what people read of the record, whoever writes it."""

import json

import pytest

from config.masker import Masker
from tests.ledger.conftest import STAGES, Book
from tests.orders import order
from workers.ledger import keys
from workers.ledger.codec import untidy_text
from workers.ledger.model import approval
from workers.ledger.model.errors import HeldError, PeopleError
from workers.ledger.model.observation import Difference, Head, Observation, Recorded, Seen
from workers.ledger.model.order import Rollback
from workers.ledger.model.rollout import Ending, Rollout
from workers.ledger.model.run import CheckRecord, StageRecord, StageState, State, Untidy
from workers.ledger.model.run import Tests as Tally
from workers.ledger.observations import Observations
from workers.ledger.unpruned import UnprunedBook

SECRET = 'pass"\\word-4711'
SAID = f"it said {SECRET} and went"
MASKED = "it said *** and went"
HALF = f"it said {SECRET[:10]}…"


@pytest.fixture
def book(redis) -> Book:
    """A ledger that knows a secret which JSON writes in another way."""
    return Book(redis, Masker([SECRET, "running", "170000", "000000"]).mask)


@pytest.fixture
def clean(redis):
    """Nothing that was written holds the secret, and something was masked."""
    yield
    found = []
    for key in redis.keys(f"{keys.PREFIX}*"):
        match redis.type(key):
            case "hash":
                found += redis.hgetall(key).values()
            case "string":
                found.append(redis.get(key))
            case "stream":
                found += [text for _, fields in redis.xrange(key) for text in fields.values()]
            case "list":
                found += redis.lrange(key, 0, -1)
    whole = "\n".join(found)
    assert "***" in whole
    assert SECRET not in whole
    assert json.dumps(SECRET)[1:-1] not in whole


def _stages(**changes: object) -> tuple[StageRecord, ...]:
    return tuple(StageRecord(name=name, **changes) for name in STAGES)


@pytest.mark.usefixtures("clean")
@pytest.mark.parametrize("move", ["stages", "finish", "park", "wait"])
def test_stages_and_why(book, move):
    """Each move of a run masks its stages' errors and summaries, and its reason."""
    run_id = book.take_on()
    lease = book.leased(run_id)
    stages = _stages(state=StageState.RUNNING, started_at=1700001234, error=SAID, summary=HALF)
    match move:
        case "stages":
            lease.stages(stages)
        case "finish":
            lease.finish(State.FAILED, stages, "ours", SAID)
        case "park":
            lease.park(State.QUEUED, stages, delay=1, queue="build", why=SAID)
        case "wait":
            lease.wait(PeopleError(5, "7:production"), stages)
    run = book.history.run(run_id)
    assert {(one.error, one.summary) for one in run.stages} == {(MASKED, "it said ***…")}
    assert {one.started_at for one in run.stages} == {1700001234}
    assert run.error in (None, MASKED)


@pytest.mark.usefixtures("clean")
def test_checks_and_subject(book):
    """A check's note and the names of its tests are masked, and the commit's subject."""
    run_id = book.take_on()
    lease = book.leased(run_id)
    tests = Tally(failed=1, failing=(f"test[{SECRET}]",))
    lease.checks([CheckRecord(name="unit", exit_code=1, seconds=1, note=SAID, tests=tests)])
    lease.write(subject=SAID, pipeline="kept as it is: running")
    (check,) = book.history.run(run_id).checks
    assert (check.note, check.tests.failing) == (MASKED, ("test[***]",))
    assert book.history.fields(run_id, "subject", "pipeline") == [MASKED, "kept as it is: running"]


@pytest.mark.usefixtures("clean")
def test_a_verdict_that_is_kept(book, redis):
    """What is left for later runs is masked too."""
    lease = book.leased(book.take_on())
    lease.keep(keys.built("x"), CheckRecord(name="a", exit_code=0, seconds=1, note=SAID), 60)
    assert json.loads(redis.get(keys.built("x")))["note"] == MASKED


@pytest.mark.usefixtures("clean")
def test_a_gradual_release(book):
    """Why it is put back is masked."""
    run_id = book.take_on()
    ending = Ending(fate="ours", why=SAID, since=1700001234)
    lease = book.leased(run_id)
    lease.rollout(
        Rollout(strategy="s", alias="a", shares=(10,), seconds=1, shifts=(), ending=ending)
    )
    assert book.history.run(run_id).rollout.ending == ending.model_copy(update={"why": MASKED})


@pytest.mark.usefixtures("clean")
def test_what_people_say(book, redis):
    """An approver's note, and who ends a run and why."""
    run_id = book.take_on()
    stages = (StageRecord(name="approve", state=StageState.WAITING),)
    book.leased(run_id).wait(PeopleError(5, "7:production"), stages)
    vote = approval.Vote(who="ada", verdict="approve", at=0, origin="api", note=SAID)
    assert book.vote(run_id, vote, 2, "deploy") == "counted"
    (kept,) = json.loads(redis.hget(keys.run(run_id), "votes"))
    assert kept["note"] == MASKED
    book.cancel(run_id, SAID)
    assert book.history.run(run_id).error == MASKED


@pytest.mark.usefixtures("clean")
def test_locks_and_rollbacks(book):
    """Reasons of locks and of rollbacks, and what a run is told when its lock goes."""
    lock = book.locks.lock("sandbox", "ada", SAID).lock
    assert lock.reason == MASKED
    run_id = book.take_on()
    held = HeldError("it is locked", "sandbox", "7:sandbox")
    book.leased(run_id).hold_back(held, _stages(summary=SAID))
    assert {one.summary for one in book.history.run(run_id).stages} == {MASKED}
    book.locks.unlock("sandbox", SAID, release=False)
    assert book.history.run(run_id).error == MASKED
    back = order(purpose="rollback", rollback=Rollback(reason=SAID))
    run_id = book.locks.rollback(back, STAGES, "deploy", "{}", ()).run_id
    assert book.history.run(run_id).order.rollback.reason == MASKED
    assert book.locks.of("sandbox").reason == MASKED


@pytest.mark.usefixtures("clean")
def test_notes_in_a_log(book):
    """What is noted in a log from beside a visit."""
    run_id = book.take_on()
    assert book.note(run_id, "slack", HALF)
    assert book.history.text(run_id) == "[slack] it said ***…\n"


@pytest.mark.usefixtures("clean")
def test_looks_at_environments(book, redis):
    """Faults, differences and untold notices of a look."""
    seen = Seen(
        function="Loader",
        repository="octo/loader",
        record=Recorded(version="1", commit="c", sha256="s", run="r"),
        differs=(Difference(kind="moved", text=SAID),),
        fault=SAID,
    )
    head = Head(repository="octo/loader", repository_id=1, branch="b", fault=SAID)
    found = Observation(
        environment="sandbox",
        at=1,
        functions=(seen,),
        heads=(head,),
        untold=(SAID,),
        storage_fault=SAID,
    )
    observations = Observations(redis)
    assert observations.write(found, Masker([SECRET]).mask)
    kept = observations.latest("sandbox")
    texts = [kept.functions[0].fault, kept.functions[0].differs[0].text, kept.heads[0].fault]
    assert [*texts, *kept.untold, kept.storage_fault] == [MASKED] * 5


@pytest.mark.usefixtures("clean")
def test_what_could_not_be_tidied_up(book, redis):
    """What a run has left behind, and versions that could not be deleted."""
    mask = Masker([SECRET]).mask
    run_id = book.take_on()
    text = untidy_text((Untidy(what="s3://site/", why=SAID),), mask)
    book.leased(run_id).write(untidy=text)
    assert [one.why for one in book.history.run(run_id).untidy] == [MASKED]
    UnprunedBook(redis).note("sandbox", "Loader", SAID, mask)
    assert [one.why for one in UnprunedBook(redis).of("sandbox")] == [MASKED]
