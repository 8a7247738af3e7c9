"""The GitHub stand-in serves real git over HTTP and tells of real pushes."""

import hmac
import json
import os
from pathlib import Path

import pytest

from tests.stand_ins.github import ZEROS, GitHub, Receiver
from tests.stand_ins_self.helpers import REPO, with_token

SECRET = "It's a Secret to Everybody"
ROOT = Path(__file__).parents[2]


def test_clone_needs_the_token(github: GitHub, git, tmp_path: Path):
    """Git is asked for credentials, and gets the repository with them."""
    url = f"{github.url}/{REPO}.git"
    refused = git(tmp_path, "clone", "-q", url, "no", check=False)
    assert refused.returncode != 0
    assert "could not read Username" in refused.stderr
    wrong = url.replace("://", "://x-access-token:wrong@")
    assert "Authentication failed" in git(tmp_path, "clone", wrong, "no", check=False).stderr
    right = url.replace("://", f"://x-access-token:{github.token}@")
    git(tmp_path, "clone", "-q", right, "yes")
    assert (tmp_path / "yes" / "README.md").read_text() == "movies\n"
    assert github.token not in repr(github.requests)
    missing = git(tmp_path, *with_token(github), "clone", f"{github.url}/o/n.git", check=False)
    assert "not found" in missing.stderr


def test_public_repository_is_read_without_a_token(github: GitHub, git, tmp_path: Path):
    """Anybody clones a public repository, and nobody pushes to it without the token."""
    github.create_repository("octo/open", private=False)
    github.commit("octo/open", "master", {"a": "1"})
    git(tmp_path, "clone", "-q", f"{github.url}/octo/open", "open")
    pushed = git(tmp_path / "open", "push", "origin", "HEAD:refs/heads/b", check=False)
    assert (pushed.returncode != 0, github.head("octo/open", "b")) == (True, None)


@pytest.mark.parametrize("version", [0, 2])
def test_any_commit_is_fetched_by_id(github: GitHub, git, clone: Path, version: int):
    """A commit that no branch reaches is fetched by its id, in both versions of the protocol."""
    lost = github.commit(REPO, "lost", {"lost": "1"})
    github.set_branch(REPO, "lost", None)
    options = ["-c", f"protocol.version={version}"]
    fetched = git(clone, *options, "fetch", "--depth=1", "origin", lost, GIT_TRACE_PACKET="1")
    assert ("fetch< version 2" in fetched.stderr) == (version == 2)
    assert git(clone, "show", f"{lost}:lost").stdout == "1"


def test_long_requests_come_compressed(github: GitHub, git, clone: Path):
    """A fetch with many branches, whose request git compresses, gets them all."""
    for number in range(40):
        github.commit(REPO, f"b{number}", {"n": str(number)})
    git(clone, "fetch", "-q", "origin")
    assert git(clone, "rev-parse", "origin/b39").stdout.strip() == github.head(REPO, "b39")
    assert "gzip" in [one.headers.get("Content-Encoding") for one in github.requests]


def test_push_over_http_is_delivered_signed(github: GitHub, receiver: Receiver, git, clone: Path):
    """A real push, uploaded in chunks, reaches the hook with GitHub's headers and payload."""
    github.add_hook(REPO, receiver.url, SECRET)
    before = github.head(REPO, "master")
    (clone / "big").write_bytes(os.urandom(3_000_000))
    git(clone, "add", ".")
    git(clone, "commit", "-qm", "Second")
    git(clone, "push", "-q", "origin", "master")
    github.settle()
    (headers, body), payload = receiver.got[0], json.loads(receiver.got[0][1])
    expected = "sha256=" + hmac.new(SECRET.encode(), body, "sha256").hexdigest()
    assert headers["X-Hub-Signature-256"] == expected
    assert headers["User-Agent"].startswith("GitHub-Hookshot/")
    assert headers["X-GitHub-Delivery"] == github.deliveries[0].guid
    after = git(clone, "rev-parse", "HEAD").stdout.strip()
    told = {key: payload[key] for key in ("ref", "before", "after", "created", "forced")}
    assert told == {
        "ref": "refs/heads/master",
        "before": before,
        "after": after,
        "created": False,
        "forced": False,
    }
    assert payload["head_commit"] == payload["commits"][-1]
    assert (payload["head_commit"]["id"], payload["head_commit"]["added"]) == (after, ["big"])
    assert payload["repository"]["clone_url"] == f"{github.url}/{REPO}.git"
    uploads = [one for one in github.requests if one.path.endswith("git-receive-pack")]
    assert uploads[-1].headers["Transfer-Encoding"] == "chunked"


def test_push_of_new_forced_and_deleted_branches(github: GitHub, receiver: Receiver, git, clone):
    """A new branch, a forced one, a tag and a deletion say so; a push of nothing says nothing."""
    github.add_hook(REPO, receiver.url)
    git(clone, "push", "-q", "origin", "HEAD:refs/heads/new")
    git(clone, "commit", "-q", "--amend", "-m", "Other")
    git(clone, "push", "-q", "--force", "origin", "HEAD:refs/heads/new")
    git(clone, "push", "-q", "origin", "HEAD:refs/tags/v1")
    git(clone, "push", "-q", "origin", "HEAD:refs/heads/new")
    git(clone, "push", "-q", "origin", ":refs/heads/new")
    github.settle()
    payloads = sorted((one.payload for one in github.deliveries), key=lambda one: one["ref"])
    flags = [(p["ref"], p["created"], p["forced"], p["deleted"]) for p in payloads]
    assert sorted(flags) == [
        ("refs/heads/new", False, False, True),
        ("refs/heads/new", False, True, False),
        ("refs/heads/new", True, False, False),
        ("refs/tags/v1", True, False, False),
    ]
    deleted = next(p for p in payloads if p["deleted"])
    assert (deleted["after"], deleted["head_commit"], deleted["commits"]) == (ZEROS, None, [])


def test_default_branch_and_pull_refs_are_protected(github: GitHub, git, clone: Path):
    """Nobody deletes the default branch or writes below `refs/pull`."""
    for refspec in (":refs/heads/master", "HEAD:refs/pull/9/head"):
        assert git(clone, "push", "origin", refspec, check=False).returncode != 0


def test_commit_helper_makes_any_history(github: GitHub):
    """Files are added, changed, made executable and deleted; parents are as given."""
    one = github.commit(REPO, "a", {"run.sh": b"\x00\xff", "x": "1"}, executable={"run.sh"})
    two = github.commit(REPO, "b", {"README.md": None, "dir/ä ö": "ü"}, "Zwei")
    merged = github.commit(REPO, "a", {}, parents=[one, two])
    root = github.commit(REPO, "a", {"only": "1"}, parents=[], date=1)
    bare = github.git(REPO)
    assert bare.run("ls-tree", one, "run.sh").startswith("100755")
    assert bare.run("ls-tree", "-r", "--name-only", "-z", two) == "dir/ä ö\0"
    assert bare.run("rev-list", "--parents", "-1", merged).split() == [merged, one, two]
    assert bare.run("rev-list", "--count", root) == "1"
    assert github.head(REPO, "a") == root


def test_fault_strikes_git_too(github: GitHub, git, clone: Path):
    """A fetch fails when its request is spoiled, and works the next time."""
    fault = github.fail_next("GET", r"\.git/info/refs", status=503)
    assert git(clone, "fetch", check=False).returncode != 0
    assert (git(clone, "fetch").returncode, fault.struck) == (0, 1)
