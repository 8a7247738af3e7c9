"""`slipway runs`, `slipway log` and `slipway cancel`."""

import http.server
import json
import os
import pty
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask, Response, abort, request
from redis import Redis

from local.ports import free_port
from service.followers import MOST_FOLLOWERS
from tests.cli.conftest import Command
from tests.dashboard.conftest import TOKEN
from tests.dashboard.worker import Work
from workers.ledger import keys
from workers.ledger.model.run import State

PROGRAM = str(Path(sys.executable).parent / "slipway")


def environment(url: str) -> dict[str, str]:
    """For a process of its own."""
    return os.environ | {"SLIPWAY_URL": url, "SLIPWAY_TOKEN": TOKEN, "COLUMNS": "200"}


def on_a_terminal(url: str, *words: str) -> str:
    """What the command writes to a terminal."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [PROGRAM, *words], stdout=theirs, stdin=theirs, stderr=theirs, env=environment(url)
    ) as process:
        os.close(theirs)
        parts = []
        try:
            while part := os.read(ours, 65536):
                parts.append(part)
        except OSError:  # the other end is closed
            pass
        process.wait(30)
    os.close(ours)
    return b"".join(parts).decode()


def test_a_pipe_gets_columns_with_tabs(ask: Command, redis: Redis) -> None:
    """Whole ids and commits, newest first, no headings."""
    old, new = Work(redis), Work(redis, environment=None, ref="refs/heads/topic")
    rows = [line.split("\t") for line in ask("runs").stdout.splitlines()]
    assert [row[0] for row in rows] == [new.id, old.id]
    assert rows[0][1:6] == [
        "queued",
        "watchlist/movies-loader",
        "topic",
        new.order.commit,
        "check",
    ]


def test_a_terminal_gets_a_table(url: str, redis: Redis) -> None:
    """Headings, short ids, states in colour."""
    work = Work(redis).end(State.FAILED, "user", "why")
    text = on_a_terminal(url, "runs")
    assert text.index("RUN") < text.index(work.id[:8])
    assert "\x1b[31mfailed\x1b[0m" in text
    assert work.id not in text


def test_scripts_get_json(ask: Command, redis: Redis) -> None:
    """It is the API's answer."""
    work = Work(redis)
    page = json.loads(ask("runs", "--json").stdout)
    assert page["cursor"] is None
    assert page["runs"][0]["id"] == work.id


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["--repository", "watchlist/movies-store"], "store"),
        (["--branch", "master"], "production"),
        (["--environment", "production"], "production"),
        (["--state", "failed"], "failed"),
        (["--limit", "1"], "failed"),
    ],
)
def test_filters_narrow_the_list(ask: Command, redis: Redis, words: list[str], found: str) -> None:
    """Each option leaves only what it names."""
    runs = {
        "store": Work(redis, repository="watchlist/movies-store"),
        "production": Work(redis, ref="refs/heads/master", environment="production"),
        "failed": Work(redis).end(State.FAILED, "user", "why"),
    }
    (line,) = ask("runs", *words).stdout.splitlines()
    assert line.startswith(runs[found].id)


def test_a_log_is_shown_without_what_terminals_obey(ask: Command, url: str, redis: Redis) -> None:
    """A pipe gets text, a terminal colours, neither gets more."""
    work = Work(redis).say("\x1b[31mred\x1b[0m\x1b[2J\x1b]0;title\x07\n")
    assert ask("log", work.id).stdout == "[unit] red\n"
    text = on_a_terminal(url, "log", work.id)
    assert "[unit] \x1b[31mred\x1b[0m\r\n" in text
    assert "\x1b[2J" not in text
    assert "title" not in text


def test_a_run_is_found_by_how_its_id_begins(ask: Command, redis: Redis) -> None:
    """As long as only one recent run begins so."""
    work = Work(redis).say("hello\n")
    assert ask("log", work.id[:8].upper()).stdout == "[unit] hello\n"
    others = [Work(redis).id for _ in range(17)]
    shared = next(c for c in "0123456789abcdef" if sum(i.startswith(c) for i in others) > 1)
    result = ask("log", shared)
    assert result.exit_code == 1
    assert f"runs begin with {shared}" in result.output


@pytest.mark.parametrize("given", ["zz", "../x", "ffffffff", "0" * 36, "a" * 500])
def test_a_run_that_is_not_there_is_said_so(ask: Command, redis: Redis, given: str) -> None:
    """No traceback, and where to find the ids."""
    result = ask("log", given)
    assert result.exit_code == 1
    assert "slipway runs" in result.output


def test_an_unknown_whole_id_is_said_so(ask: Command) -> None:
    """The API's own words."""
    result = ask("log", "123e4567-e89b-42d3-a456-426614174000")
    assert result.exit_code == 1
    assert "no run 123e4567" in result.output


@pytest.mark.parametrize(("state", "code"), [(State.SUCCEEDED, 0), (State.FAILED, 1)])
def test_following_goes_on_until_the_run_ends(
    url: str, redis: Redis, state: State, code: int
) -> None:
    """Each line comes once, as it is said; the exit code is the run's verdict."""
    work = Work(redis).say("one\n")
    with subprocess.Popen(
        [PROGRAM, "log", "-f", work.id[:13]],
        env=environment(url),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout.readline() == "[unit] one\n"
        work.say("two\n")
        assert process.stdout.readline() == "[unit] two\n"
        assert process.poll() is None
        work.say("three\n").end(state, why="because" if code else "")
        out, err = process.communicate(timeout=20)
    assert out == "[unit] three\n"
    assert f"run {work.id} {state}" in err
    assert ("because" in err) == bool(code)
    assert process.returncode == code


def full(app: Flask) -> None:
    """As many follow runs as may."""
    while app.extensions["slipway"].followers.sit():
        pass


def old(app: Flask) -> None:
    """A Slipway from before there were events."""

    @app.before_request
    def refuse() -> None:
        if request.path.endswith("/events"):
            abort(404)


@pytest.mark.parametrize(("prepare", "seats"), [(None, 1), (full, MOST_FOLLOWERS), (old, 0)])
def test_following_listens_where_it_can(
    app: Flask, url: str, redis: Redis, prepare: Callable[[Flask], None] | None, seats: int
) -> None:
    """It takes a seat as a follower; where there is none, it asks again and shows the same."""
    if prepare:
        prepare(app)
    work = Work(redis).say("one\n")
    with subprocess.Popen(
        [PROGRAM, "log", "-f", work.id], env=environment(url), stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "[unit] one\n"
        assert len(app.extensions["slipway"].followers._taken) == seats
        work.say("two\nthree\n").end()
        out, _ = process.communicate(timeout=20)
    assert out == "[unit] two\n[unit] three\n"
    assert process.returncode == 0


def test_a_reader_may_leave(url: str, redis: Redis) -> None:
    """`slipway log RUN | head -1` ends without a word of complaint."""
    work = Work(redis)
    for _ in range(40):
        work.say("x" * 50_000)
    command = f"{PROGRAM} log {work.id} | head -c 10"
    done = subprocess.run(
        command, shell=True, env=environment(url), capture_output=True, text=True, check=True
    )
    assert done.stdout == "[unit] xxx"
    assert done.stderr == ""


def test_a_run_is_cancelled(ask: Command, redis: Redis) -> None:
    """At once if nobody works on it; a second time it has ended already."""
    work = Work(redis)
    result = ask("cancel", work.id[:8])
    assert (result.exit_code, result.stdout) == (0, f"run {work.id} cancelled\n")
    again = ask("cancel", work.id)
    assert again.exit_code == 1
    assert "ended already" in again.output


def test_a_run_at_work_is_asked_to_end(ask: Command, redis: Redis) -> None:
    """Its worker hears of it at its next heartbeat."""
    work = Work(redis)
    assert work.lease
    assert "as soon as its worker hears of it" in ask("cancel", work.id).stdout


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"SLIPWAY_TOKEN": "wrong"}, "refuses the token: set SLIPWAY_TOKEN"),
        ({"SLIPWAY_TOKEN": "wrong\nX: y"}, "SLIPWAY_TOKEN"),
        ({"SLIPWAY_TOKEN": ""}, "asks for a token: set SLIPWAY_TOKEN"),
        ({"SLIPWAY_URL": f"http://127.0.0.1:{free_port()}"}, "no Slipway at"),
        ({"SLIPWAY_URL": "nonsense"}, "check SLIPWAY_URL"),
        ({"SLIPWAY_API_TOKENS": "nonsense"}, "SLIPWAY_API_TOKENS: expected name:token"),
    ],
)
def test_what_is_wrong_is_told_in_a_sentence(
    ask: Command, changes: dict[str, str], said: str
) -> None:
    """The message names the variable to set; the exit code is 1."""
    result = ask("runs", **changes)
    assert result.exit_code == 1
    # The server of this test writes its own log there, too.
    (error,) = [line for line in result.output.splitlines() if line.startswith("Error: ")]
    assert said in error


def test_the_web_process_s_own_variables_will_do(slipway: Command, url: str, redis: Redis) -> None:
    """On its machine, neither SLIPWAY_URL nor SLIPWAY_TOKEN is needed."""
    work = Work(redis)
    result = slipway("runs", SLIPWAY_PUBLIC_URL=f"{url}/", SLIPWAY_API_TOKENS=f"ann:{TOKEN},b:c")
    assert work.id in result.stdout


class Stranger(http.server.BaseHTTPRequestHandler):
    """Something that is no Slipway."""

    def do_GET(self) -> None:
        """A page, or a way on, by the path's first part."""
        kind = self.path.split("/")[1]
        self.send_response({"page": 200, "away": 302, "missing": 404, "broken": 502}[kind])
        self.send_header("Content-Type", "text/html")
        if kind == "away":
            self.send_header("Location", "https://slipway.example/")
        self.end_headers()
        self.wfile.write(b"<p>hello</p>")

    def log_message(self, *words: object) -> None:
        """Quiet."""


@pytest.fixture
def stranger() -> Iterator[str]:
    """A web server that is no Slipway."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Stranger) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("page", "is no Slipway"),
        ("missing", "is no Slipway"),
        ("away", "https://slipway.example/"),
        ("broken", "failed with 502"),
    ],
)
def test_something_else_at_the_url_is_said_so(
    slipway: Command, stranger: str, path: str, said: str
) -> None:
    """A page, a redirection or a proxy's error is not taken for runs."""
    result = slipway("runs", SLIPWAY_URL=f"{stranger}/{path}", SLIPWAY_TOKEN="t")
    assert result.exit_code == 1
    assert said in result.output


def test_following_sits_out_a_restart(
    slipway: Command, redis: Redis, redis_server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the web process is away for a moment, the command waits."""
    from werkzeug.serving import make_server

    from config.server import parse
    from service import create_app
    from tests.dashboard.conftest import OPERATOR, settings

    app = create_app(settings(redis_server.url), parse(OPERATOR))
    port = free_port()
    work = Work(redis).say("one\n")

    def serve():
        server = make_server("127.0.0.1", port, app, threaded=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return server

    server = serve()
    with subprocess.Popen(
        [PROGRAM, "log", "-f", work.id],
        env=environment(f"http://127.0.0.1:{port}"),
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout.readline() == "[unit] one\n"
        server.shutdown()
        server.server_close()
        time.sleep(2)
        assert process.poll() is None
        server = serve()
        work.say("two\n").end()
        out, _ = process.communicate(timeout=30)
    server.shutdown()
    server.server_close()
    assert out == "[unit] two\n"
    assert process.returncode == 0


def test_following_waits_for_a_log_that_is_in_s3(app: Flask, url: str, redis: Redis) -> None:
    """While a worker brings an old log back, events and log are 503; then it is shown."""
    work = Work(redis).say("one\n").end()
    redis.hset(f"{keys.RUN}{work.id}", "told", json.dumps({"log": "s3://packages/x.txt"}))
    redis.delete(f"{keys.LOG}{work.id}")
    refused: list[str] = []

    @app.after_request
    def note(response: Response) -> Response:
        if response.status_code == 503:
            refused.append(request.path.rpartition("/")[2])
        return response

    with subprocess.Popen(
        [PROGRAM, "log", "-f", work.id], env=environment(url), stdout=subprocess.PIPE, text=True
    ) as process:
        deadline = time.monotonic() + 30
        while "log" not in refused:
            assert time.monotonic() < deadline, refused
            time.sleep(0.05)
        work.ledger.put_log(work.id, "[unit] one\n", 60)
        out, _ = process.communicate(timeout=30)
    assert refused[:2] == ["events", "log"]
    assert out == "[unit] one\n"
    assert process.returncode == 0


def test_the_whole_log_is_asked_for_by_name(ask: Command, redis: Redis) -> None:
    """`--whole` reads what the API gives without a cursor; it does not go with `-f`."""
    work = Work(redis).say("\x1b[2Jone\n" + "two\n" * 50_000 + "three").end()
    result = ask("log", "--whole", work.id)
    assert result.stdout == "[unit] one\n" + "[unit] two\n" * 50_000 + "[unit] three\n"
    assert result.exit_code == 0
    assert ask("log", "--whole", "-f", work.id).exit_code == 2
