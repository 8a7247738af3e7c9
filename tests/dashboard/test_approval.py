"""Approving on the page of a run, and what stays of it."""

import json
import re
import uuid

import pytest
from flask import Flask
from redis import Redis

from config.server import parse
from local.redis import EmbeddedRedis
from service import create_app
from tests.dashboard.conftest import Reader, settings
from tests.dashboard.worker import Work
from workers.ledger import keys
from workers.ledger.model.approval import Vote, candidate
from workers.ledger.model.errors import PeopleError
from workers.ledger.model.run import Release, StageState, State

PACKAGES = '{"MoviesLoader": "q+w="}'
HASH = "22nikmFy90TTrFRvr+Mfh3u7pu1qribEYu3zi8IV8TA="
OPERATOR = """
[environments.sandbox]
branch = "develop"

[environments.production]
branch = "master"
alias = "live"
approval = { required = 2, approvers = ["Ann", "bob"] }

[[repositories]]
name = "watchlist/*"
"""
TOKENS = "ann:token-of-ann,bob:token-of-bob,eve:token-of-eve"
DETAIL = re.compile(r"<section class=\"card lost\">.*?</section>", re.DOTALL)


@pytest.fixture
def app(redis: Redis, redis_server: EmbeddedRedis) -> Flask:
    """The web application; production asks for two approvals."""
    return create_app(settings(redis_server.url, api_tokens=TOKENS), parse(OPERATOR))


@pytest.fixture
def reader(app: Flask):
    """Signs somebody in."""

    def sign_in(name: str) -> Reader:
        found = Reader(app)
        assert found.sign_in(f"token-of-{name}").status_code == 303
        return found

    return sign_in


def waiting(redis: Redis, over: str | None = None, **changes: object) -> Work:
    """A run that waits for approval; the run `over` gives way to it."""
    work = Work(redis, ref="refs/heads/master", environment="production", **changes)
    work.lease.releases([Release(function="MoviesLoader", version="7", sha256=HASH)])
    work.lease.write(packages=PACKAGES)
    work.stage("approve", StageState.WAITING, started_at=1_760_000_000_000)
    work.lease.wait(PeopleError(7199, "7:production", over), work.records)
    return work


def fields(page: str) -> dict[str, str]:
    """What the form of a page carries."""
    return dict(re.findall(r'type="hidden" name="(commit|sha256)" value="([^"]*)"', page))


def say(reader: Reader, work: Work, verdict: str, **changes: str):
    """Press a button of the page as it is now."""
    path = f"/runs/{work.id}"
    shown = fields(reader.text(path)) | changes
    return reader.post(f"{path}/{verdict}", path, **shown)


def votes(work: Work) -> list[tuple[str, str, str, str]]:
    """Who said what from where, with the note."""
    (text,) = work.ledger.history.fields(work.id, "votes")
    names = ("who", "verdict", "origin", "note")
    return [tuple(one[name] for name in names) for one in json.loads(text or "[]")]


def ended(work: Work, state: State, why: str = "") -> None:
    """The run goes on, and ends."""
    lease = work.ledger.lease(work.id, "w", str(uuid.uuid4()), seconds=60, capacity=99)
    lease.finish(state, work.records, "user" if why else "", why)


def test_the_page_says_what_would_happen(reader, redis: Redis) -> None:
    """Alias, version, hash, commit, how many are needed by whom, and until when."""
    work = waiting(redis)
    page = reader("ann").text(f"/runs/{work.id}")
    assert "Waiting for approval" in page
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", page))
    assert "MoviesLoader live →moves to version 7" in text
    assert f'title="{HASH}">{HASH[:12]}…<' in page
    assert f'title="{candidate(PACKAGES)}">{candidate(PACKAGES)[:12]}…<' in page
    assert f'title="{work.order.commit}"' in page
    assert "2 approvals are needed, by Ann or bob." in text
    assert "UTC, 1 h 59 min left" in text
    assert page.index("Waiting for approval") < page.index("Stages")


def test_two_people_approve(reader, redis: Redis) -> None:
    """The form carries what the page showed; each word stands on it, with note and origin."""
    work = waiting(redis)
    ann, bob = reader("ann"), reader("bob")
    shown = fields(ann.text(f"/runs/{work.id}"))
    assert shown == {"commit": work.order.commit, "sha256": candidate(PACKAGES)}
    answer = say(ann, work, "approve", note="seen on\r\nstaging <b>")
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/runs/{work.id}")

    page = bob.text(f"/runs/{work.id}")
    assert "<strong>1</strong> more approval is needed" in page
    for text in (">Ann<", ">approved<", "from page 127.0.0.1", "seen on staging &lt;b&gt;"):
        assert text in page
    mine = ann.text(f"/runs/{work.id}")
    assert "You have approved this." in mine
    assert "/approve" not in mine

    before = work.ledger.backlog("deploy")
    say(bob, work, "approve")
    assert "goes on in a moment" in bob.text(f"/runs/{work.id}")
    assert votes(work) == [
        ("Ann", "approve", "page 127.0.0.1", "seen on staging <b>"),
        ("bob", "approve", "page 127.0.0.1", ""),
    ]
    assert work.ledger.backlog("deploy") == before + 1


def test_a_no_is_enough(reader, redis: Redis) -> None:
    """Nobody is asked any more, and the run is woken."""
    work = waiting(redis)
    before = work.ledger.backlog("deploy")
    say(reader("ann"), work, "reject", note="not on Friday")
    page = reader("bob").text(f"/runs/{work.id}")
    assert "It was rejected" in page
    assert "<textarea" not in page
    assert work.ledger.backlog("deploy") == before + 1


def test_the_words_stay_after_the_end(reader, redis: Redis) -> None:
    """Who, when, from where and the note are there; nothing asks any more."""
    work = waiting(redis)
    say(reader("ann"), work, "reject", note="not on Friday")
    ended(work, State.CANCELLED, "rejected by Ann: not on Friday")
    page = reader("bob").text(f"/runs/{work.id}")
    panel = re.search(r'<div id="run-approval">.*?</section>', page, re.DOTALL)[0]
    for text in (">Approval<", ">Ann<", ">rejected<", "page 127.0.0.1", "not on Friday"):
        assert text in panel
    assert "Waiting for approval" not in page
    assert "needed" not in panel


def test_the_words_stay_where_nobody_is_asked_any_more(
    redis: Redis, redis_server: EmbeddedRedis, reader
) -> None:
    """An operator who changes the rules takes no word away from an old run."""
    work = waiting(redis)
    say(reader("ann"), work, "approve")
    work.ledger.cancel(work.id, "cancelled by bob")
    changed = OPERATOR.replace('approval = { required = 2, approvers = ["Ann", "bob"] }', "")
    later = Reader(create_app(settings(redis_server.url, api_tokens=TOKENS), parse(changed)))
    later.sign_in("token-of-bob")
    assert ">Ann<" in later.text(f"/runs/{work.id}")


def test_who_may_not_is_told_who_may(reader, redis: Redis) -> None:
    """There are no buttons, and a form made by hand is refused with the same words."""
    work = waiting(redis)
    eve = reader("eve")
    page = eve.text(f"/runs/{work.id}")
    assert "eve is no approver of production; they are: Ann, bob" in page
    assert "<textarea" not in page
    shown = {"commit": work.order.commit, "sha256": candidate(PACKAGES)}
    answer = eve.post(f"/runs/{work.id}/approve", f"/runs/{work.id}", **shown)
    assert answer.status_code == 403
    assert "they are: Ann, bob" in DETAIL.search(answer.text)[0]
    assert votes(work) == []


@pytest.mark.parametrize(
    "changes",
    [{"commit": "f" * 40}, {"sha256": "0" * 64}, {"commit": ""}, {"sha256": ""}],
)
def test_another_candidate_is_said_so(reader, redis: Redis, changes: dict[str, str]) -> None:
    """A page that showed something else, or a form that says nothing, counts for nothing."""
    work = waiting(redis)
    answer = say(reader("ann"), work, "approve", **changes)
    assert answer.status_code == 409
    assert "Your word did not count" in answer.text
    assert "Another candidate waits now" in answer.text
    assert f'href="/runs/{work.id}"' in answer.text
    assert votes(work) == []


def test_a_page_that_was_open_too_long_is_told_what_happened(reader, redis: Redis) -> None:
    """A newer candidate took its place meanwhile."""
    work = waiting(redis)
    ann = reader("ann")
    shown = fields(ann.text(f"/runs/{work.id}"))
    newer = waiting(redis, over=work.id)
    answer = ann.post(f"/runs/{work.id}/approve", f"/runs/{work.id}", **shown)
    assert answer.status_code == 409
    assert f"it is superseded: replaced by run {newer.id}" in answer.text


def test_a_second_word_does_not_count(reader, redis: Redis) -> None:
    """From a second window, the answer says that there is one already."""
    work = waiting(redis)
    ann = reader("ann")
    shown = fields(ann.text(f"/runs/{work.id}"))
    say(ann, work, "approve")
    answer = ann.post(f"/runs/{work.id}/reject", f"/runs/{work.id}", **shown)
    assert answer.status_code == 409
    assert "already" in answer.text
    assert [vote[1] for vote in votes(work)] == ["approve"]


@pytest.mark.parametrize(
    "wrong", [{"csrf_token": "x"}, {"headers": {"Origin": "https://e.example"}}]
)
def test_a_foreign_form_counts_for_nothing(reader, redis: Redis, wrong: dict) -> None:
    """Without the session's token, or from another site, it is refused."""
    work = waiting(redis)
    ann = reader("ann")
    for verdict in ("approve", "reject"):
        shown = fields(ann.text(f"/runs/{work.id}"))
        answer = ann.post(f"/runs/{work.id}/{verdict}", f"/runs/{work.id}", **shown, **wrong)
        assert answer.status_code == 403
    assert votes(work) == []


def test_a_note_has_a_limit(reader, redis: Redis) -> None:
    """Browsers stop at 500 characters; line ends count once."""
    work = waiting(redis)
    ann = reader("ann")
    assert say(ann, work, "approve", note="x" * 501).status_code == 400
    assert say(ann, work, "approve", note="a\r\n" * 250).status_code == 303


def test_an_unknown_run_takes_no_word(reader, redis: Redis) -> None:
    """It gets the friendly page of runs that are not kept."""
    answer = reader("ann").post("/runs/nope/approve", commit="x", sha256="y")
    assert answer.status_code == 404


def test_the_live_part_has_the_panel_and_the_form(reader, redis: Redis) -> None:
    """A page that was open before the run waited gets both."""
    work = waiting(redis)
    page = reader("ann").text(f"/runs/{work.id}/live")
    assert "Waiting for approval" in page
    assert fields(page) == {"commit": work.order.commit, "sha256": candidate(PACKAGES)}
    assert 'name="csrf_token"' in page


def test_a_page_with_the_form_is_not_loaded_again_by_itself(reader, redis: Redis) -> None:
    """Without JavaScript, a refresh would take the note that is being written."""
    work = waiting(redis)
    refresh = '<noscript><meta http-equiv="refresh"'
    assert refresh not in reader("ann").text(f"/runs/{work.id}")
    assert refresh in reader("eve").text(f"/runs/{work.id}")


def test_the_list_marks_what_waits(reader, redis: Redis) -> None:
    """Whoever is asked reads that it is for them; others that it waits."""
    work = waiting(redis)
    Work(redis)
    page = reader("ann").text("/runs")
    assert page.count('class="waits"') == 1
    assert page.count("Waiting for you") == 1
    assert "Waiting for you" not in reader("eve").text("/runs")
    work.ledger.vote(
        work.id, Vote(who="Ann", verdict="approve", at=0, origin="api", note=""), 2, "deploy"
    )
    assert "Waiting for you" not in reader("ann").text("/runs")


def test_a_run_that_asks_nobody_has_no_panel(reader, redis: Redis) -> None:
    """Neither where no approval is needed nor before it is."""
    early = Work(redis, ref="refs/heads/master", environment="production")
    for work in (Work(redis), Work(redis, environment=None), early):
        page = reader("ann").text(f"/runs/{work.id}")
        assert "approval-title" not in page
        assert "<textarea" not in page


def test_the_hash_that_a_release_shows_means_the_only_package(app: Flask, redis: Redis) -> None:
    """Who knows a run's releases alone can name what they approve, where there is one package."""
    one = {"MoviesLoader": HASH}
    two = one | {"MoviesStore": "q+w="}
    for packages, status in ((one, 202), (one | {"MoviesStore": HASH}, 202), (two, 409)):
        redis.flushall()
        work = waiting(redis)
        redis.hset(keys.run(work.id), "packages", json.dumps(packages))
        answer = app.test_client().post(
            f"/api/v1/runs/{work.id}/approve",
            json={"sha256": HASH},
            headers={"Authorization": "Bearer token-of-ann"},
        )
        assert answer.status_code == status, answer.text
        assert len(votes(work)) == (status == 202)


@pytest.mark.parametrize(
    "body", [b"x", b"[]", b'{"commit": ', b'{"note": "\\ud800"}', b'{"note": 1}', b"\xff", b"a=b"]
)
def test_a_word_that_cannot_be_read_does_not_count(app: Flask, redis: Redis, body: bytes) -> None:
    """The API refuses it whatever its content type says, since it may name another candidate."""
    work = waiting(redis)
    for kind in ("application/json", "application/x-www-form-urlencoded"):
        answer = app.test_client().post(
            f"/api/v1/runs/{work.id}/approve",
            data=body,
            headers={"Authorization": "Bearer token-of-ann", "Content-Type": kind},
        )
        assert answer.status_code == 400, answer.text
        assert answer.mimetype == "application/problem+json"
    assert votes(work) == []
