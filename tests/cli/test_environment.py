"""`slipway rollback`, `lock`, `unlock` and `retry` against a real web server."""

import json
import threading
import time

import pytest

from tests.orders import order
from tests.released import FIRST, SECOND, released
from workers.ledger import Ledger
from workers.ledger.model.errors import HeldError
from workers.ledger.model.run import StageRecord, StageState, State
from workers.ledger.owners import Owner, Owners, Refused


@pytest.fixture
def ledger(redis):
    """The server's ledger; two commits were released to production."""
    released(redis, FIRST)
    released(redis, SECOND)
    return Ledger(redis)


@pytest.fixture
def worker(ledger):
    """Ends the next run as it is told to."""
    threads = []

    def work(state: State, why: str) -> None:
        while not (due := ledger.overdue(0).runs):
            time.sleep(0.02)
        lease = ledger.lease(due[0][0], "w", "n", seconds=30, capacity=1)
        lease.say("release", "production: version 2 \u2192 version 1\n", 10_000)
        lease.finish(state, (StageRecord(name="deploy"),), "ours", why)

    def begin(state=State.SUCCEEDED, why=""):
        threads.append(threading.Thread(target=work, args=(state, why)))
        threads[-1].start()

    yield begin
    for thread in threads:
        thread.join()


def held(ledger):
    """A run that waits for production to be unlocked; its id."""
    wanted = order(environment="production", repository="watchlist/movies-loader")
    run_id = ledger.accept(wanted, "", ("release",), "deploy").run_id
    lease = ledger.lease(run_id, "w", "n", seconds=30, capacity=9)
    records = (StageRecord(name="release", state=StageState.WAITING, summary="Held: why"),)
    lease.hold_back(HeldError("why", "production", "7"), records)
    return run_id


def test_a_rollback_is_followed_to_its_end(ask, ledger, worker):
    """It says what goes where and shows the log; the exit code is the rollback's."""
    worker()
    result = ask("rollback", "production", "--to", "previous", "--reason", "broken")
    assert result.exit_code == 0, result.output
    assert f"production goes back to {FIRST}" in result.output
    assert "MoviesLoader version 1" in result.output
    assert "version 2 \u2192 version 1" in result.output
    assert ledger.locks.of("production").reason == "broken"


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("movies-loader",), "pushes to production are held until `slipway unlock production`"),
        (
            ("movies-loader", "movies-parser", "movies-store-api"),
            "pushes of all 3 repositories to production are held until `slipway unlock production`",
        ),
    ],
)
def test_a_rollback_says_whose_pushes_it_holds(ask, ledger, worker, names, said):
    """It was for one repository, and holds those of all that deploy there."""
    for name in names:
        wanted = order(
            repository=f"watchlist/{name}",
            repository_id=sum(name.encode()),
            environment="production",
            ref="refs/heads/master",
        )
        ledger.cancel(ledger.accept(wanted, "", ("release",), "deploy").run_id, "not now")
    worker()
    result = ask("rollback", "production", "--to", FIRST, "--repository", "watchlist/movies-loader")
    assert result.exit_code == 0, result.output
    assert said in result.output.splitlines()


def test_a_rollback_that_fails(ask, ledger, worker):
    """The exit code is 1, and the reason is shown."""
    worker(State.FAILED, "AWS said no")
    result = ask("rollback", "production", "--to", FIRST)
    assert (result.exit_code, "AWS said no" in result.output) == (1, True)


def test_a_rollback_that_is_refused(ask, ledger):
    """The reason and what to do, and exit code 1."""
    result = ask("rollback", "production", "--to", "c" * 40)
    assert (result.exit_code, "was never released there" in result.output) == (1, True)
    assert ask("rollback", "prod/../x", "--to", FIRST).exit_code == 1
    assert ask("rollback", "production").exit_code == 2


def test_a_rollback_that_nobody_waits_for(ask, ledger, worker):
    """With --no-wait the log is not shown."""
    worker()
    result = ask("rollback", "production", "--to", FIRST, "--function", "MoviesLoader", "--no-wait")
    assert (result.exit_code, "\u2192" in result.output) == (0, False)


def test_lock_and_unlock(ask, ledger):
    """What was held is named and goes live."""
    result = ask("lock", "production", "--reason", "freeze", "--for", "2h")
    assert (result.exit_code, "production is locked until 20" in result.output) == (0, True)
    run_id = held(ledger)
    result = ask("unlock", "production", "--reason", "mended")
    assert result.exit_code == 0
    assert f"run {run_id}: watchlist/movies-loader aaaaaaa goes live now" in result.output
    assert run_id in dict(ledger.overdue(0).runs)
    result = ask("unlock", "production")
    assert (result.exit_code, "is not locked" in result.output) == (1, True)


def test_unlock_without_release(ask, ledger):
    """What was held is cancelled, and its run says who wanted it."""
    assert "until `slipway unlock production`" in ask("lock", "production", "--reason", "x").output
    run_id = held(ledger)
    result = ask("unlock", "production", "--no-release", "--reason", "wrong")
    assert (result.exit_code, f"run {run_id}" in result.output) == (0, True)
    run = ledger.history.run(run_id)
    assert (run.state, run.error) == (
        State.CANCELLED,
        "ann unlocked production without releasing it, because: wrong",
    )


def test_a_lock_needs_no_more_than_an_environment(ask, ledger):
    """No reason and no end are asked for; a time that is none is refused with the field's name."""
    result = ask("lock", "production", "--until", "soon")
    assert (result.exit_code, "until:" in result.output) == (1, True)
    assert ask("lock", "production").exit_code == 0
    assert ledger.locks.of("production").told("production") == "production is locked by ann"


def test_retry(ask, ledger):
    """A new run takes the place of one that ended without success; of no other."""
    wanted = order(repository="watchlist/movies-loader")
    run_id = ledger.accept(wanted, "", ("test",), "build").run_id
    assert ask("retry", run_id[:8]).exit_code == 1
    ledger.cancel(run_id, "by ada")
    result = ask("retry", run_id[:8])
    assert result.exit_code == 0, result.output
    # The server of this test writes its own log there, too.
    new = result.output.splitlines()[-1].split()[1]
    assert ledger.history.run(new).state is State.QUEUED


def test_releases_are_listed(ask, ledger):
    """A line each, newest first, of one environment or of all; for scripts as JSON."""
    lines = ask("releases", "production").output.splitlines()
    assert [line.split("\t")[3] for line in lines] == [SECOND, FIRST]
    assert lines[0].startswith("production\tMoviesLoader:production\t")
    assert ask("releases").output.splitlines() == lines
    assert ask("releases", "--limit", "1").output.splitlines() == lines[:1]
    found = json.loads(ask("releases", "--json").output)
    assert [row["commit"] for row in found["production"]] == [SECOND, FIRST]
    empty = next(name for name, rows in found.items() if not rows)
    assert "No releases" in ask("releases", empty).output
    assert ask("releases", "nowhere").exit_code == 1


def test_what_a_repository_was_refused_is_moved(ask, ledger):
    """The place, and who had it; with nothing refused what it will be refused within a day."""
    copy, place = "watchlist/copy", "1/eu-west-3/MoviesLoader/production"
    owners = Owners(ledger.redis)
    had = Owner(repository_id=1, repository="watchlist/movies-loader", environment="production")
    assert owners.inherit(place, had)
    told = ask("releases", "--take-over", copy)
    assert told.exit_code == 0, told.output
    assert "within a day" in told.output
    refused = Refused(
        repository_id=2,
        repository=copy,
        environment="production",
        words="MoviesLoader:production",
        run="a-run",
    )
    owners.refuse(place, refused)
    told = ask("releases", "production", "--take-over", copy)
    assert told.output.endswith(
        "MoviesLoader:production (production) belongs to watchlist/copy now, no longer to "
        "watchlist/movies-loader: slipway retry a-run\n"
    )
    assert owners.of([place])[place].repository_id == 2
    assert ask("releases", "--take-over", "elsewhere/copy").exit_code == 1
