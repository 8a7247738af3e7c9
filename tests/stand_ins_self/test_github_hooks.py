"""The GitHub stand-in sends the webhooks that GitHub sends."""

import json
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from github import GithubException

from tests.stand_ins.github import ZEROS, GitHub, Receiver, StandInError, sign
from tests.stand_ins_self.helpers import REPO, api, call

SECRET = "It's a Secret to Everybody"
ROOT = Path(__file__).parents[2]


def test_signature_is_githubs():
    """The vector of GitHub's documentation comes out."""
    assert sign(SECRET, b"Hello, World!") == (
        "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    )


def test_pygithub_looks_after_hooks(github: GitHub, receiver: Receiver):
    """A hook is created with a ping, listed, changed, pinged, and redelivers."""
    repo = api(github)
    config = {"url": receiver.url, "content_type": "json", "secret": SECRET}
    hook = repo.create_hook("web", config, events=["push"], active=True)
    github.settle()
    hook.edit("web", config, events=["push", "pull_request"])
    hook.ping()
    github.settle()
    assert receiver.events() == ["ping", "ping"]
    assert [(one.id, one.events) for one in repo.get_hooks()] == [
        (hook.id, ["push", "pull_request"])
    ]
    assert repo.get_hook(hook.id).config["secret"] == "********"
    listed = list(repo.get_hook_deliveries(hook.id))
    assert [(one.event, one.status, one.status_code) for one in listed] == [("ping", "OK", 202)] * 2
    whole = repo.get_hook_delivery(hook.id, listed[0].id)
    assert whole.request.payload["hook_id"] == hook.id
    attempt = f"/repos/{REPO}/hooks/{hook.id}/deliveries/{listed[0].id}/attempts"
    assert call(github, "POST", attempt).status_code == 202
    github.settle()
    again = next(iter(repo.get_hook_deliveries(hook.id)))
    assert (again.guid, again.redelivery, again.id > listed[0].id) == (listed[0].guid, True, True)
    assert receiver.got[2] == receiver.got[1]
    with pytest.raises(GithubException, match="already exists"):
        repo.create_hook("web", config)
    hook.edit("web", {"url": receiver.url})
    assert github.hooks[hook.id].secret is None
    hook.delete()
    assert list(repo.get_hooks()) == []


def test_push_event_tells_what_changed_since_the_last(github: GitHub, receiver: Receiver):
    """The first event creates the branch, the next goes on from it, and a repeat is a new event."""
    github.add_hook(REPO, receiver.url)
    first = github.commit(REPO, "develop", {"a": "1"})
    created = github.push_event(REPO, "develop")[0]
    second = github.commit(REPO, "develop", {"a": "2"})
    moved = github.push_event(REPO, "develop")[0]
    repeat = github.push_event(REPO, "develop")[0]
    assert (created.payload["before"], created.payload["created"]) == (ZEROS, True)
    assert (moved.payload["before"], moved.payload["after"]) == (first, second)
    assert moved.payload["head_commit"]["modified"] == ["a"]
    assert (repeat.payload["before"], repeat.payload["after"]) == (first, second)
    assert (repeat.guid != moved.guid, moved.json()) == (True, {"run_id": "1"})


def test_pull_request_lives(github: GitHub, receiver: Receiver, git, clone: Path):
    """Opened, pushed to, closed, reopened: each is told with head and base."""
    github.add_hook(REPO, receiver.url)
    first = github.commit(REPO, "feature", {"a": "1"})
    pull = github.open_pull_request(REPO, "feature")
    git(clone, "fetch", "-q", "origin", "pull/1/head")
    git(clone, "checkout", "-q", "-b", "feature", "FETCH_HEAD")
    git(clone, "commit", "-q", "--allow-empty", "-m", "More")
    git(clone, "push", "-q", "origin", "feature")
    github.settle()
    github.reopen(github.close(pull))
    payloads = [one.payload for one in github.deliveries if one.event == "pull_request"]
    assert [p["action"] for p in payloads] == ["opened", "synchronize", "closed", "reopened"]
    second = github.head(REPO, "feature")
    assert (payloads[1]["before"], payloads[1]["after"]) == (first, second)
    shown = payloads[0]["pull_request"]
    assert (shown["head"]["sha"], shown["head"]["ref"], shown["merged"]) == (
        first,
        "feature",
        False,
    )
    assert shown["base"]["repo"]["id"] == shown["head"]["repo"]["id"]
    assert github.git(REPO).commit_id("refs/pull/1/head") == second
    assert api(github).get_pull(1).head.sha == second


@pytest.mark.parametrize(("method", "parents"), [("merge", 2), ("squash", 1), ("rebase", 1)])
def test_merge_sends_both_events(github: GitHub, receiver: Receiver, method: str, parents: int):
    """A merge makes a real commit on the base and is told as `closed` and as `push`."""
    github.add_hook(REPO, receiver.url)
    github.commit(REPO, "feature", {"a": "1"}, "One")
    github.commit(REPO, "feature", {"b": "2"}, "Two")
    base = github.commit(REPO, "master", {"c": "3"}, "Three")
    pull = github.merge(github.open_pull_request(REPO, "feature"), method)
    closed, push = github.deliveries[-2:]
    assert (closed.event, closed.action, push.event) == ("pull_request", "closed", "push")
    assert closed.payload["pull_request"]["merged"] is True
    assert closed.payload["pull_request"]["merge_commit_sha"] == push.payload["after"]
    assert push.payload["before"] == base
    assert github.head(REPO, "master") == pull.merge_commit_sha
    bare = github.git(REPO)
    listed = bare.run("rev-list", "--parents", "-1", pull.merge_commit_sha).split()
    assert len(listed) == 1 + parents
    assert len(push.payload["commits"]) == {"merge": 3, "squash": 1, "rebase": 2}[method]
    names = bare.run("ls-tree", "--name-only", pull.merge_commit_sha).split()
    assert names == ["README.md", "a", "b", "c"]


def test_conflict_is_not_merged(github: GitHub):
    """Branches that conflict are refused, and the base stays."""
    github.commit(REPO, "feature", {"README.md": "theirs\n"})
    base = github.commit(REPO, "master", {"README.md": "ours\n"})
    pull = github.open_pull_request(REPO, "feature")
    for method in ("merge", "squash", "rebase"):
        with pytest.raises(StandInError, match="conflict"):
            github.merge(pull, method)
    assert github.head(REPO, "master") == base


def test_fork_is_told_by_its_repository_id(github: GitHub, receiver: Receiver):
    """A fork's pull request has another repository, marked as a fork, at its head."""
    github.add_hook(REPO, receiver.url)
    github.fork(REPO)
    sha = github.commit("mallory/movies-loader", "evil", {"a": "1"})
    github.open_pull_request(REPO, "evil", fork=True)
    shown = github.deliveries[-1].payload["pull_request"]
    assert (shown["head"]["repo"]["full_name"], shown["head"]["repo"]["fork"]) == (
        "mallory/movies-loader",
        True,
    )
    assert shown["head"]["repo"]["id"] != shown["base"]["repo"]["id"]
    assert github.git(REPO).commit_id("refs/pull/1/head") == shown["head"]["sha"] == sha


def test_form_delivery_and_hand_made_ones(github: GitHub, receiver: Receiver):
    """A form hook gets `payload=…`; a hand-made delivery has the headers and secret it is given."""
    github.add_hook(REPO, receiver.url, SECRET, content_type="form")
    github.push_event(REPO, "master")
    headers, body = receiver.got[0]
    assert headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert headers["X-Hub-Signature-256"] == sign(SECRET, body)
    assert json.loads(parse_qs(body.decode())["payload"][0])["ref"] == "refs/heads/master"
    made = github.deliver(
        "push", b"{", guid="g", secret="other", headers={"X-More": "1", "Accept": None}
    )
    headers, body = receiver.got[1]
    assert (headers["X-GitHub-Delivery"], headers["X-More"], body) == ("g", "1", b"{")
    assert headers["X-Hub-Signature-256"] == sign("other", b"{")
    assert made.status_code == 202
    github.deliver("push", {}, secret="")
    assert "X-Hub-Signature-256" not in receiver.got[2][0]


def test_failed_deliveries_are_listed_as_such(github: GitHub, receiver: Receiver):
    """An error, a slow receiver and a closed port are recorded as GitHub names them."""
    hook = github.add_hook(REPO, receiver.url)
    receiver.status = 500
    github.ping(hook)
    receiver.release.clear()
    github.ping(hook)
    hook.url = "http://127.0.0.1:9/"
    github.ping(hook)
    assert [(one.status, one.status_code, one.ok) for one in github.deliveries] == [
        ("Invalid HTTP Response: 500", 500, False),
        ("timed out", 504, False),
        ("failed to connect to host", 502, False),
    ]


def test_inactive_and_uninterested_hooks_hear_nothing(github: GitHub, receiver: Receiver):
    """Only active hooks that subscribe to an event get it, and all with one GUID."""
    github.add_hook(REPO, receiver.url, active=False)
    github.add_hook(REPO, receiver.url, events=["pull_request"])
    assert github.push_event(REPO, "master") == []
    github.add_hook(REPO, receiver.url)
    github.add_hook(REPO, receiver.url, events=["*"])
    assert len({one.guid for one in github.push_event(REPO, "master")}) == 1
    assert len(receiver.got) == 2
