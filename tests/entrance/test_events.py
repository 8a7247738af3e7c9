"""Following a run live: every change once, resumable, and never at the webhook's expense."""

import contextlib
import json
import re
import socket
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
import redis as redis_py
import requests

from service.entrance.connection import STUCK_SECONDS
from service.entrance.descriptors import THREADS
from tests.dashboard.worker import Work
from tests.service.conftest import push
from tests.stand_ins.slipway import TOKEN
from workers.ledger import keys
from workers.ledger.model.run import StageState, State

UNKNOWN = "00000000-0000-4000-8000-000000000000"
ROOT = Path(__file__).parents[2]
BEARER = {"Authorization": f"Bearer {TOKEN}"}


@dataclass(frozen=True)
class Event:
    """One server-sent event."""

    kind: str
    id: str
    data: dict


class Follower:
    """A client of the stream, which reads it line by line."""

    def __init__(self, slipway, run_id, last="", **query):
        headers = BEARER | ({"Last-Event-ID": last} if last else {})
        url = f"{slipway.url}/api/v1/runs/{run_id}/events"
        self.answer = requests.get(url, headers=headers, params=query, stream=True, timeout=20)
        self._events = self._read()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.answer.close()

    def __iter__(self):
        return self._events

    def _read(self):
        fields = {}
        for line in self.answer.iter_lines():
            if line:
                name, _, value = line.decode().partition(": ")
                fields[name] = value
            elif "event" in fields:
                yield Event(fields["event"], fields["id"], json.loads(fields["data"]))
                fields = {}

    def until(self, kind):
        """The events up to the first of a kind."""
        events = []
        for event in self:
            events.append(event)
            if event.kind == kind:
                break
        return events


@pytest.fixture
def book(door, web_redis):
    """A client of the ledger that the web process uses; the ledger is empty."""
    with redis_py.Redis.from_url(web_redis.url, decode_responses=True) as client:
        yield client


def facts(events):
    """Events in short: what changed to what, and which lines came."""
    short = {
        "run": lambda data: data["state"],
        "stage": lambda data: f"{data['name']} {data['state']}",
        "log": lambda data: data["text"].strip(),
        "end": lambda data: f"end {data['state']}",
    }
    return [short[event.kind](event.data) for event in events]


def test_a_run_is_followed_to_its_end(slipway, book):
    """State, stages and lines come as they happen, and the end is said."""
    work = Work(book)
    with Follower(slipway, work.id) as follower:
        assert follower.answer.headers["Content-Type"].startswith("text/event-stream")
        assert follower.answer.headers["X-Accel-Buffering"] == "no"
        events = iter(follower)
        first = [next(events) for _ in range(1 + len(work.records))]
        assert facts(first)[:2] == ["queued", "checkout pending"]
        began = time.monotonic()
        work.stage("checkout", StageState.RUNNING, started_at=1)
        assert sorted(facts([next(events), next(events)])) == ["checkout running", "running"]
        work.say("hello\n", "checkout")
        line = next(events)
        assert (line.kind, line.data["source"], line.data["text"]) == ("log", "checkout", "hello\n")
        assert time.monotonic() - began < 5
        work.stage("checkout", StageState.FAILED, error="no").say("bye\n")
        work.end(State.FAILED, "user", "no")
        rest = facts(list(events))
    assert rest[-1] == "end failed"
    assert rest.index("bye") < len(rest) - 1
    assert rest.count("checkout failed") == 1


def test_news_is_told_at_once(slipway, book):
    """A bell wakes the follower: no change waits for the next look, a second later."""
    work = Work(book)
    waits = []
    with Follower(slipway, work.id) as follower:
        events = iter(follower)
        for _ in range(1 + len(work.records)):
            next(events)
        for name in ("checkout", "test", "build"):
            time.sleep(0.3)
            began = time.monotonic()
            work.stage(name, StageState.RUNNING)
            while next(events).data.get("name") != name:
                pass
            waits.append(time.monotonic() - began)
    assert min(waits) < 0.25


def test_a_run_that_has_ended_is_told_again(slipway, book):
    """The whole log and where everything ended, then the end."""
    work = Work(book)
    for number in range(130):
        work.say(f"line {number}\n")
    work.stage("checkout", StageState.SUCCEEDED).end()
    with Follower(slipway, work.id) as follower:
        events = facts(follower)
    assert [fact for fact in events if fact.startswith("line")] == [
        f"line {number}" for number in range(130)
    ]
    assert events[0] == "succeeded"
    assert events[-1] == "end succeeded"


def test_nothing_is_lost_or_repeated_after_a_cut(slipway, book):
    """Cut after every single event and resumed by its id, the stream is the same."""
    work = Work(book).say("one\n").stage("checkout", StageState.SUCCEEDED).say("two\n")
    work.say("three\n").end()
    with Follower(slipway, work.id) as follower:
        whole = list(follower)
    pieces, last = [], ""
    while not pieces or pieces[-1].kind != "end":
        with Follower(slipway, work.id, last) as follower:
            pieces.append(next(iter(follower)))
        last = pieces[-1].id
    assert pieces == whole
    with Follower(slipway, work.id, last) as follower:
        assert follower.answer.status_code == 204


def test_what_happens_during_a_cut_is_told_after_it(slipway, book):
    """Who comes back hears of each change and line that it missed, once."""
    work = Work(book).say("one\n")
    with Follower(slipway, work.id) as follower:
        before = follower.until("log")
    work.say("two\n").stage("checkout", StageState.SUCCEEDED).stage("test", StageState.RUNNING)
    with Follower(slipway, work.id, before[-1].id) as follower:
        after = follower.until("log")
        # The log was read before the run was looked at again, or after it: both are right.
        work.end()
        after += list(follower)
    told = facts(after)
    assert told.count("one") == 0
    assert told.count("two") == 1
    assert told.count("checkout succeeded") == 1
    assert "build pending" not in told
    assert told[-1] == "end succeeded"


def test_a_logs_cursor_is_a_place_too(slipway, book):
    """Who has the log up to a cursor goes on from there."""
    work = Work(book).say("one\n")
    cursor = slipway.get(f"/api/v1/runs/{work.id}/log").headers["X-Slipway-Log-Cursor"]
    work.say("two\n").end()
    with Follower(slipway, work.id, after=cursor) as follower:
        assert [event.data["text"] for event in follower if event.kind == "log"] == ["two\n"]


@pytest.mark.parametrize("last", ["x", "1", "1-2.zz", "1-1.end.end", "9" * 30 + "-1", "1-1.1234"])
def test_a_damaged_id_is_refused(slipway, book, last):
    """400 as problem JSON, by header and by query."""
    work = Work(book)
    for answer in (
        requests.get(
            f"{slipway.url}/api/v1/runs/{work.id}/events",
            headers=BEARER | {"Last-Event-ID": last},
            timeout=5,
        ),
        slipway.get(f"/api/v1/runs/{work.id}/events", after=last),
    ):
        assert answer.status_code == 400
        assert answer.headers["Content-Type"] == "application/problem+json"


def test_strangers_and_unknown_runs(slipway, book):
    """No token: 401; no such run: 404; both as problem JSON."""
    answer = requests.get(f"{slipway.url}/api/v1/runs/{UNKNOWN}/events", timeout=5)
    assert answer.status_code == 401
    answer = slipway.get(f"/api/v1/runs/{UNKNOWN}/events")
    assert (answer.status_code, answer.headers["Content-Type"]) == (404, "application/problem+json")


def test_a_session_may_follow(slipway, book):
    """A browser's EventSource sends the cookie, and no header of ours."""
    work = Work(book).end()
    browser = requests.Session()
    page = browser.get(f"{slipway.url}/sign-in", timeout=5).text
    (csrf,) = re.findall(r'name="csrf_token" value="([^"]+)"', page)
    form = {"csrf_token": csrf, "token": TOKEN}
    browser.post(f"{slipway.url}/sign-in", data=form, timeout=5)
    answer = browser.get(f"{slipway.url}/api/v1/runs/{work.id}/events", timeout=5)
    assert answer.status_code == 200
    assert answer.text.startswith("retry: ")
    assert "event: end" in answer.text


def test_an_archived_log_is_asked_for_first(slipway, book):
    """Who follows a run of long ago is told when to come back; a worker brings the log."""
    work = Work(book).say("long ago\n").end()
    book.hset(f"{keys.RUN}{work.id}", "told", json.dumps({"log": "s3://packages/x.txt"}))
    book.delete(f"{keys.LOG}{work.id}")
    answer = slipway.get(f"/api/v1/runs/{work.id}/events")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
    work.ledger.put_log(work.id, "[lint] one\n", 60)
    with Follower(slipway, work.id) as follower:
        assert "[lint] one" in facts(follower)


def test_a_look_at_the_headers_is_no_following(slipway, book):
    """HEAD is answered at once, however often."""
    work = Work(book)
    url = f"{slipway.url}/api/v1/runs/{work.id}/events"
    for _ in range(40):
        assert requests.head(url, headers=BEARER, timeout=5).status_code == 200
    with Follower(slipway, work.id) as follower:
        assert follower.until("run")


def crowd(slipway, run_id, stack, count):
    """So many followers, each of which has heard something."""

    def join(_):
        follower = Follower(slipway, run_id)
        return follower, follower.until("run") if follower.answer.ok else None

    with ThreadPoolExecutor(16) as pool:
        joined = list(pool.map(join, range(count)))
    for follower, heard in joined:
        stack.callback(follower.answer.close)
        assert heard, follower.answer.status_code
    return [follower for follower, _ in joined]


def answers(door, count=60):
    """Milliseconds that each of so many deliveries took, 202 every one; the slowest last."""

    def send(number):
        began = time.monotonic()
        status, _, _ = door.send(push(after=f"{uuid.uuid4().int % 16**40:040x}"))
        assert status == 202, number
        return (time.monotonic() - began) * 1000

    with ThreadPoolExecutor(4) as pool:
        return sorted(pool.map(send, range(count)))


def test_followers_never_starve_the_webhook(slipway, door, book):
    """Many more of them than there are threads: deliveries are answered as fast as without."""
    work = Work(book)
    answers(door)
    alone = answers(door)
    with contextlib.ExitStack() as stack:
        followers = crowd(slipway, work.id, stack, 10 * THREADS)
        crowded = answers(door)
        # They really were there all the time: each hears what happens now.
        work.say("still there\n")
        with ThreadPoolExecutor(len(followers)) as pool:
            heard = list(pool.map(lambda one: one.until("log")[-1].data["text"], followers))
        assert heard == ["still there\n"] * len(followers)
    median = len(alone) // 2
    assert crowded[median] < 3 * alone[median] + 10
    assert crowded[-1] < 1000


def test_who_leaves_is_followed_no_more(slipway, book):
    """Who closes the connection frees that to Redis within moments, though nothing happens."""
    work = Work(book)
    with contextlib.ExitStack() as stack:
        crowd(slipway, work.id, stack, 20)
        until = time.monotonic() + 5
        while waiting(book) < 20 and time.monotonic() < until:
            time.sleep(0.1)
        assert waiting(book) >= 20
    until = time.monotonic() + 5
    while waiting(book) and time.monotonic() < until:
        time.sleep(0.1)
    assert waiting(book) == 0


def waiting(book):
    """How many connections to Redis wait for news, or have done so a moment ago."""
    return sum(one["cmd"] == "xread" and int(one["idle"]) < 2 for one in book.client_list())


@pytest.mark.soak
def test_one_who_stops_reading_loses_the_seat(slipway, book):
    """A client that takes nothing more is cut off after a while, and its thread is free."""
    work = Work(book)
    size = 12_000_000  # more than the buffers between the two hold
    for _ in range(size // 60_000):
        work.lease.say("unit", "x" * 60_000, 2 * size)
    path = f"/api/v1/runs/{work.id}/events"
    assert patient(slipway, path).ok  # the tests before may have left moments ago
    with socket.create_connection(("127.0.0.1", slipway.port)) as wire:
        head = f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n\r\n"
        wire.sendall(head.encode())
        assert wire.recv(12) == b"HTTP/1.1 200"
        time.sleep(1.5)  # until the visit before is over, and in the log
        before = served(slipway, path)
        time.sleep(1)
        assert served(slipway, path) == before
        deadline = time.monotonic() + 3 * STUCK_SECONDS
        while served(slipway, path) == before:
            assert time.monotonic() < deadline, "it holds its thread"
            time.sleep(0.2)


def patient(slipway, path):
    """The answer to a short visit, as soon as there is a seat."""
    deadline = time.monotonic() + 10
    while True:
        with requests.get(slipway.url + path, headers=BEARER, stream=True, timeout=5) as answer:
            if answer.ok or time.monotonic() > deadline:
                return answer
        time.sleep(0.2)


def served(slipway, path):
    """How often the web process has done with a request: its log has a line for each."""
    return slipway.processes["web"].log.read_text().count(path)


def test_the_web_process_stops_in_spite_of_followers(tmp_path, web_redis, book):
    """SIGTERM sends them away within seconds; they go on elsewhere from where they were."""
    from tests.e2e.conftest import OPERATOR
    from tests.entrance.conftest import entered
    from tests.stand_ins.slipway import SECRET, Slipway

    environment = {
        "REDIS_URL": web_redis.url,
        "GITHUB_WEBHOOK_SECRET": SECRET,
        "GITHUB_API_URL": "http://127.0.0.1:9",
    }
    work = Work(book).say("one\n")
    with Slipway(tmp_path, OPERATOR, environment) as other:
        entered(other).start("web")
        follower = Follower(other, work.id)
        last = follower.until("log")[-1].id
        rest = []
        reader = threading.Thread(target=lambda: rest.extend(follower))
        reader.start()
        began = time.monotonic()
        other.processes["web"].terminate()
        reader.join(15)
        other.processes["web"].stop()
        assert not reader.is_alive()
        assert time.monotonic() - began < 10
        assert rest == []
        other.start("web")
        work.say("two\n").end()
        with Follower(other, work.id, last) as again:
            assert facts(again)[-1] == "end succeeded"
