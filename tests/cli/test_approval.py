"""`slipway approve` and `slipway reject`."""

import json
import os
import pty
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis
from werkzeug.serving import make_server

from config.server import parse
from local.redis import EmbeddedRedis
from service import create_app
from tests.cli.conftest import Command
from tests.dashboard.conftest import settings
from tests.dashboard.test_approval import HASH, OPERATOR, PACKAGES, TOKENS, votes, waiting
from tests.dashboard.worker import Work
from workers.ledger import keys
from workers.ledger.model.approval import candidate
from workers.ledger.model.run import Release

PROGRAM = str(Path(sys.executable).parent / "slipway")


@pytest.fixture
def url(redis: Redis, redis_server: EmbeddedRedis) -> Iterator[str]:
    """A web server whose production asks for two approvals."""
    app = create_app(settings(redis_server.url, api_tokens=TOKENS), parse(OPERATOR))
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def ask(slipway: Command, url: str) -> Command:
    """Runs the command for Ann, unless told otherwise."""

    def run(*words: str, who: str = "ann"):
        return slipway(*words, SLIPWAY_URL=url, SLIPWAY_TOKEN=f"token-of-{who}")

    return run


def environment(url: str) -> dict[str, str]:
    """For a process of its own."""
    return os.environ | {"SLIPWAY_URL": url, "SLIPWAY_TOKEN": "token-of-ann"}


def on_a_terminal(url: str, typed: bytes, *words: str) -> tuple[int, str]:
    """Exit code and output of the command on a terminal where somebody types."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [PROGRAM, *words], stdin=theirs, stdout=theirs, stderr=theirs, env=environment(url)
    ) as process:
        os.close(theirs)
        os.write(ours, typed)
        parts = []
        try:
            while part := os.read(ours, 65536):
                parts.append(part)
        except OSError:  # the other end is closed
            pass
        code = process.wait(30)
    os.close(ours)
    return code, b"".join(parts).decode()


def test_it_shows_what_is_approved(ask: Command, redis: Redis) -> None:
    """Commit, candidate, versions and hashes, who has spoken and how many are needed."""
    work = waiting(redis)
    text = ask("approve", work.id[:8], "--note", "seen on staging").stdout
    for part in (
        f"run {work.id}: watchlist/movies-loader to production",
        f"commit     {work.order.commit}",
        f"candidate  {candidate(PACKAGES)}",
        f"MoviesLoader: live \u2192 version 7, sha256 {HASH}",
        "2 approvals needed, until 2",
        "by Ann, bob",
        f"run {work.id} approved; 1 approval more needed",
    ):
        assert part in text
    second = ask("approve", work.id, who="bob").stdout
    assert "Ann approved: seen on staging" in second
    assert "it goes live now" in second
    assert votes(work) == [
        ("Ann", "approve", "api 127.0.0.1", "seen on staging"),
        ("bob", "approve", "api 127.0.0.1", ""),
    ]


def test_it_is_rejected(ask: Command, redis: Redis) -> None:
    """One is enough, and its note is kept."""
    work = waiting(redis)
    result = ask("reject", work.id, "--note", "not on Friday")
    assert result.exit_code == 0
    assert "rejected; it ends now" in result.stdout
    assert votes(work) == [("Ann", "reject", "api 127.0.0.1", "not on Friday")]


@pytest.mark.parametrize("verdict", ["approve", "reject"])
def test_who_may_not_is_told_who_may(ask: Command, redis: Redis, verdict: str) -> None:
    """403 in a sentence."""
    work = waiting(redis)
    result = ask(verdict, work.id, who="eve")
    assert result.exit_code == 1
    assert "eve is no approver of production; they are: Ann, bob" in result.output
    assert votes(work) == []


def test_a_second_word_does_not_count(ask: Command, redis: Redis) -> None:
    """409 in a sentence."""
    work = waiting(redis)
    ask("approve", work.id)
    result = ask("reject", work.id)
    assert result.exit_code == 1
    assert "already" in result.output
    assert len(votes(work)) == 1


@pytest.mark.parametrize("verdict", ["approve", "reject"])
def test_only_what_waits_can_be_decided(ask: Command, redis: Redis, verdict: str) -> None:
    """A run that is queued, needs no approval or has been replaced is said so."""
    for work in (Work(redis), Work(redis, ref="refs/heads/master", environment="production")):
        result = ask(verdict, work.id)
        assert result.exit_code == 1
        assert "not waiting for approval; it is queued" in result.output
    older = waiting(redis)
    newer = waiting(redis, over=older.id)
    result = ask(verdict, older.id)
    assert f"it is superseded: replaced by run {newer.id}" in result.output


def test_an_unknown_run_is_said_so(ask: Command, redis: Redis) -> None:
    """404 in the API's own words."""
    result = ask("approve", "123e4567-e89b-42d3-a456-426614174000")
    assert result.exit_code == 1
    assert "no run 123e4567" in result.output


def test_a_note_that_is_too_long_is_said_so(ask: Command, redis: Redis) -> None:
    """400 with the field's name."""
    work = waiting(redis)
    result = ask("approve", work.id, "--note", "x" * 501)
    assert result.exit_code == 1
    assert "note:" in result.output
    assert votes(work) == []


def test_another_candidate_than_was_shown_is_not_approved(url: str, redis: Redis) -> None:
    """What changes while somebody thinks at the prompt is not what they approved."""
    work = waiting(redis)
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [PROGRAM, "approve", work.id], stdin=theirs, stdout=theirs, stderr=theirs,
        env=environment(url),
    ) as process:  # fmt: skip
        os.close(theirs)
        text = b""
        while b"[y/N]" not in text:
            text += os.read(ours, 65536)
        redis.hset(f"{keys.RUN}{work.id}", "packages", json.dumps({"MoviesLoader": "other"}))
        os.write(ours, b"y\n")
        try:
            while part := os.read(ours, 65536):
                text += part
        except OSError:  # the other end is closed
            pass
        assert process.wait(30) == 1
    os.close(ours)
    assert b"Another candidate waits now" in text
    assert votes(work) == []


@pytest.mark.parametrize(
    ("typed", "words", "code", "counted"),
    [
        (b"y\n", (), 0, 1),
        (b"n\n", (), 1, 0),
        (b"\n", (), 1, 0),
        (b"\x04", (), 1, 0),
        (b"", ("--yes",), 0, 1),
    ],
)
def test_a_terminal_is_asked(
    url: str, redis: Redis, typed: bytes, words: tuple[str, ...], code: int, counted: int
) -> None:
    """Nothing is approved without a yes, typed or given."""
    work = waiting(redis)
    found, text = on_a_terminal(url, typed, "approve", work.id, *words)
    assert found == code, text
    assert ("Approve it? [y/N]" in text) == (not words)
    assert text.index(work.order.commit) >= 0
    assert len(votes(work)) == counted


def test_nothing_is_asked_where_nobody_types(url: str, redis: Redis) -> None:
    """A script whose standard input is open and silent does not hang."""
    work = waiting(redis)
    silent, _held = os.pipe()
    done = subprocess.run(
        [PROGRAM, "approve", work.id],
        stdin=silent,
        capture_output=True,
        text=True,
        timeout=30,
        env=environment(url),
        check=True,
    )
    os.close(silent)
    os.close(_held)
    assert "approved; 1 approval more needed" in done.stdout
    assert len(votes(work)) == 1


def test_what_a_terminal_would_obey_is_not_shown(ask: Command, redis: Redis) -> None:
    """Names come from repositories."""
    work = Work(redis, ref="refs/heads/master", environment="production")
    work.lease.releases([Release(function="Movies\x1b[2J\nLoader", version="7", sha256=HASH)])
    work.end()
    other = waiting(redis)
    redis.hset(f"{keys.RUN}{other.id}", "releases", redis.hget(f"{keys.RUN}{work.id}", "releases"))
    text = ask("approve", other.id).stdout
    assert "Movies Loader: live" in text
    assert "\x1b" not in text
