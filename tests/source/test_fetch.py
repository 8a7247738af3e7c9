"""Fetching: what goes over the network, what is asked of whom, and what a failure says."""

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from config.server import Operator
from config.settings import Settings
from tests.source.conftest import NAME, Plumbing, fetches, processes
from tests.stand_ins.github import TOKEN, GitHub
from workers.ledger.model.errors import (
    CancelledError,
    OurError,
    PassingError,
    StoppedError,
    UserError,
)
from workers.source.git import NETWORK, Git, mask
from workers.source.mirror import KEPT, Mirror, head
from workers.source.snapshot import Snapshot
from workers.workshop import Workshop

Make = Callable[..., Snapshot]
PACK = r"/git-upload-pack$"


def commit(hub: GitHub, content: str = "1", branch: str = "master") -> str:
    """A commit with one file."""
    return hub.commit(NAME, branch, {"slipway.toml": content})


def unknown(hub: GitHub, sha: str, times: int = 1) -> None:
    """Let the server say that it has no such object, in the words of git's protocol."""
    line = f"ERR upload-pack: not our ref {sha}"
    hub.fail_next(
        "POST",
        PACK,
        times,
        status=200,
        body=f"{len(line) + 4:04x}{line}",
        headers={"Content-Type": "application/x-git-upload-pack-result"},
    )


class Alarm:
    """A watch that goes off after a while."""

    def __init__(self, seconds: float, error: Exception) -> None:
        self.at, self.error = time.monotonic() + seconds, error

    def check(self) -> None:
        """Raise when it is time."""
        if time.monotonic() > self.at:
            raise self.error


def test_a_commit_is_fetched_once(hub: GitHub, url: str, mirror: Mirror) -> None:
    """What is there already is not asked for again."""
    sha = commit(hub)
    assert mirror.fetch(url, sha, TOKEN).read("slipway.toml") == b"1"
    asked = len(hub.requests)
    assert mirror.fetch(url, sha, TOKEN).read("slipway.toml") == b"1"
    assert len(hub.requests) == asked


def test_an_ancestor_of_what_is_there_needs_no_network(
    hub: GitHub, url: str, mirror: Mirror
) -> None:
    """The history of a fetched commit came with it."""
    first, second = commit(hub, "1"), commit(hub, "2")
    mirror.fetch(url, second, TOKEN)
    asked = len(hub.requests)
    assert mirror.fetch(url, first, TOKEN).read("slipway.toml") == b"1"
    assert len(hub.requests) == asked


def test_only_what_is_missing_travels(hub: GitHub, url: str, mirror: Mirror) -> None:
    """A second fetch brings the new objects alone."""
    first = hub.commit(NAME, "master", {"big": os.urandom(2_000_000)})
    mirror.fetch(url, first, TOKEN)
    before = {path: path.stat().st_size for path in mirror.directory.glob("objects/pack/*.pack")}
    mirror.fetch(url, commit(hub), TOKEN)
    packs = set(mirror.directory.glob("objects/pack/*.pack")) - set(before)
    assert max(before.values()) > 2_000_000
    assert 0 < sum(path.stat().st_size for path in packs) < 10_000


def test_a_commit_that_no_branch_holds_any_more_is_fetched(
    hub: GitHub, url: str, mirror: Mirror
) -> None:
    """A force-push between the delivery and the fetch doesn't lose the commit."""
    first, second = commit(hub, "1"), commit(hub, "2")
    hub.set_branch(NAME, "master", first)
    assert mirror.fetch(url, second, TOKEN).read("slipway.toml") == b"2"


def test_the_token_is_nowhere_on_disk_or_in_an_argument(
    hub: GitHub, url: str, mirror: Mirror
) -> None:
    """The token is sent as a header, and neither the mirror nor a command line knows it."""
    sha = commit(hub)
    hub.fail_next("POST", PACK, status=None, delay=1)
    seen: list[str] = []
    fetching = threading.Thread(target=lambda: mirror.fetch(url, sha, TOKEN))
    fetching.start()
    while fetching.is_alive():
        seen += processes(url)
        time.sleep(0.05)
    fetching.join()
    assert seen
    assert not [line for line in seen if TOKEN in line or "Authorization" in line]
    files = [path for path in mirror.git.root.rglob("*") if path.is_file()]
    assert files
    assert not [path for path in files if TOKEN.encode() in path.read_bytes()]
    sent = [one for one in hub.requests if one.path.endswith("git-upload-pack")]
    assert sent[0].headers["Authorization"].startswith("Basic x-access-token:")


def test_a_token_goes_to_its_own_origin_only(hub: GitHub, url: str, mirror: Mirror) -> None:
    """A server that sends git elsewhere doesn't get git to carry the token there."""
    sha = commit(hub)
    other = url.replace("127.0.0.1", "localhost")
    hub.fail_next(
        "GET", "info/refs", 9, status=301, headers={"Location": f"{other}/info/refs?service=x"}
    )
    with pytest.raises(OurError, match=f"{NAME} has moved"):
        mirror.fetch(url, sha, TOKEN)
    assert not [one for one in hub.requests if one.headers["Host"].startswith("localhost")]


def test_a_renamed_repository_is_followed(hub: GitHub, url: str, mirror: Mirror) -> None:
    """A redirect on the same origin, as GitHub answers after a rename, leads to the commit."""
    sha = commit(hub)
    old = url.replace("movies", "films")
    for _ in range(2):
        hub.fail_next(
            "GET",
            "films.git/info/refs",
            status=301,
            headers={"Location": f"{url}/info/refs?service=git-upload-pack"},
        )
    assert mirror.fetch(old, sha, TOKEN).read("slipway.toml") == b"1"
    for _ in range(2):
        hub.fail_next(
            "GET",
            "films.git/info/refs",
            status=301,
            headers={"Location": f"{url}/info/refs?service=git-upload-pack"},
        )
    assert head(mirror.git, old, "master", TOKEN) == sha


def test_an_unknown_commit_is_the_users_fault(hub: GitHub, url: str, mirror: Mirror) -> None:
    """A commit that the server lacks is named together with its repository."""
    commit(hub)
    unknown(hub, "ab" * 20)
    with pytest.raises(UserError, match=f"{'ab' * 20} is not in {NAME}: was the branch deleted"):
        mirror.fetch(url, "ab" * 20, TOKEN)


def test_a_commit_that_the_server_learns_of_late_is_waited_for(
    hub: GitHub, url: str, git: Git
) -> None:
    """A webhook that is ahead of the git server costs a moment, not the run."""
    commit(hub)
    late = hub.git(NAME).commit_tree(hub.git(NAME).run("rev-parse", "master^{tree}"), [], "late")
    unknown(hub, late)
    said: list[str] = []
    assert Mirror(git, 1, patience=(0.1,)).fetch(url, late, TOKEN, said.append).tree()
    assert any("asking again in 100 ms" in text for text in said)


def test_a_server_that_serves_branches_only_is_asked_by_branch(
    hub: GitHub, url: str, mirror: Mirror
) -> None:
    """Where asking by commit id is forbidden, the branches bring the commit."""
    first, _ = commit(hub, "1"), commit(hub, "2")
    unknown(hub, first)
    assert mirror.fetch(url, first, TOKEN).read("slipway.toml") == b"1"


@pytest.mark.parametrize("token", [None, "wrong-token"])
def test_a_refused_token_tells_the_operator_what_to_do(
    hub: GitHub, url: str, mirror: Mirror, token: str | None
) -> None:
    """Missing or wrong credentials name GITHUB_TOKEN, not the token."""
    with pytest.raises(OurError, match="GITHUB_TOKEN") as caught:
        mirror.fetch(url, commit(hub), token)
    assert "wrong-token" not in str(caught.value)


@pytest.mark.parametrize("status", [403, 404])
def test_a_repository_out_of_sight_is_the_operators_turn(
    hub: GitHub, url: str, mirror: Mirror, status: int
) -> None:
    """A repository that the token doesn't see is no passing fault."""
    hub.fail_next("GET", "info/refs", status=status)
    with pytest.raises(OurError, match=f"{NAME} is gone or not readable"):
        mirror.fetch(url, commit(hub), TOKEN)


@pytest.mark.parametrize("status", [429, 500, 502, 503])
@pytest.mark.parametrize("where", ["info/refs", PACK])
def test_a_servers_trouble_passes(
    hub: GitHub, url: str, mirror: Mirror, status: int, where: str
) -> None:
    """After an answer of 429 or 5xx the stage is tried again, and then it works."""
    sha = commit(hub)
    hub.fail_next("*", where, status=status)
    with pytest.raises(PassingError, match=f"{NAME} can't be fetched for now"):
        mirror.fetch(url, sha, TOKEN)
    assert mirror.fetch(url, sha, TOKEN).tree()


@pytest.mark.parametrize(
    "fault",
    [
        {"drop_connection": True},
        {"status": 200, "body": b"<html>captive portal</html>"},
        {"status": 200, "body": b""},
        {"status": 200, "body": b"0011packfile\n0100\x01PACK"},
    ],
)
def test_a_broken_answer_passes(
    hub: GitHub, url: str, mirror: Mirror, fault: dict[str, object]
) -> None:
    """A cut connection or a mangled answer is a passing fault and leaves a sound mirror."""
    sha = commit(hub)
    kind = {"Content-Type": "application/x-git-upload-pack-result"}
    hub.fail_next("POST", PACK, headers=kind, **fault)  # type: ignore[arg-type]
    with pytest.raises(PassingError):
        mirror.fetch(url, sha, TOKEN)
    assert mirror.fetch(url, sha, TOKEN).read("slipway.toml") == b"1"


def test_a_server_that_is_not_there_passes(mirror: Mirror) -> None:
    """Nobody listening is a passing fault."""
    with pytest.raises(PassingError, match="can't be fetched for now"):
        mirror.fetch("http://127.0.0.1:9/o/n.git", "ab" * 20)


@pytest.mark.parametrize("name", ["not-our-ref/certificate", "is-empty/corrupt", "o/No-space-left"])
def test_a_repositorys_name_is_not_taken_for_a_complaint(mirror: Mirror, name: str) -> None:
    """Words in a repository's name don't decide whose fault it is."""
    with pytest.raises(PassingError):
        mirror.fetch(f"http://127.0.0.1:9/{name}.git", "ab" * 20)


@pytest.mark.parametrize("error", [StoppedError("lease lost"), CancelledError("cancelled")])
def test_a_lost_lease_stops_git_at_once(hub: GitHub, url: str, git: Git, error: Exception) -> None:
    """The watch's error comes out within a second, and no git process stays."""
    hub.fail_next("POST", PACK, status=None, delay=4)
    sha = commit(hub)
    watched = Mirror(Git(git.root, Alarm(0.5, error)), 1)
    began = time.monotonic()
    with pytest.raises(type(error)):
        watched.fetch(url, sha, TOKEN)
    assert time.monotonic() - began < 2
    assert not processes(url)


def test_a_fetch_that_takes_too_long_is_stopped(hub: GitHub, url: str, git: Git) -> None:
    """The wall time limit makes a passing fault."""
    hub.fail_next("POST", PACK, status=None, delay=4)
    with pytest.raises(PassingError, match="git fetch took longer than 1 s "):
        Mirror(Git(git.root, seconds=1), 1).fetch(url, commit(hub), TOKEN)
    assert not processes(url)


def test_a_killed_worker_takes_git_with_it(hub: GitHub, url: str, mirror: Mirror) -> None:
    """After SIGKILL of the worker no git stays, and the next worker fetches as if nothing was."""
    sha = commit(hub)
    hub.fail_next("POST", PACK, status=None, delay=4)
    worker = multiprocessing.get_context("fork").Process(
        target=mirror.fetch, args=(url, sha, TOKEN)
    )
    worker.start()
    until = time.monotonic() + 5
    while not hub.faults[0].struck and time.monotonic() < until:
        time.sleep(0.02)
    assert fetches(url)
    assert worker.pid
    os.kill(worker.pid, signal.SIGKILL)
    worker.join()
    until = time.monotonic() + 2
    while fetches(url) and time.monotonic() < until:
        time.sleep(0.02)
    assert not fetches(url)
    until = time.monotonic() + 6
    while processes(url) and time.monotonic() < until:
        time.sleep(0.02)
    assert not processes(url)
    assert mirror.fetch(url, sha, TOKEN).read("slipway.toml") == b"1"


def test_workers_share_a_mirror(hub: GitHub, url: str, mirror: Mirror) -> None:
    """Six processes that want the same new commit at once all get it, from one transfer."""
    sha = commit(hub)
    # Not forked: a child of the stand-in's process would hold its connections open.
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=mirror.fetch, args=(url, sha, TOKEN)) for _ in range(6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0] * 6
    assert len([one for one in hub.requests if one.path.endswith("/git-upload-pack")]) == 1


def test_a_mirror_held_too_long_is_a_passing_fault(hub: GitHub, url: str, git: Git) -> None:
    """A worker that can't get the mirror gives up for now."""
    hub.fail_next("POST", PACK, status=None, delay=2)
    first = threading.Thread(target=Mirror(git, 1).fetch, args=(url, commit(hub), TOKEN))
    first.start()
    while not hub.faults[0].struck:
        time.sleep(0.02)
    with pytest.raises(PassingError, match="held by others"):
        Mirror(git, 1, lock_seconds=0.2).fetch(url, commit(hub, "2"), TOKEN)
    first.join()


def _truncate_pack(directory: Path) -> None:
    for pack in directory.glob("objects/pack/*.pack"):
        pack.chmod(0o644)
        pack.write_bytes(pack.read_bytes()[:40])


def _lose_index(directory: Path) -> None:
    for index in directory.glob("objects/pack/*.idx"):
        index.unlink()


def _empty_ref(directory: Path) -> None:
    for ref in (directory / "refs" / "slipway").iterdir():
        ref.write_bytes(b"\0" * 41)


def _half_made(directory: Path) -> None:
    (directory / "HEAD").unlink()


def _bad_config(directory: Path) -> None:
    (directory / "config").write_bytes(b"[core\n\0")


def _stale_locks(directory: Path) -> None:
    for name in ("packed-refs.lock", "config.lock", "HEAD.lock", "shallow.lock"):
        (directory / name).touch()
    for ref in list((directory / "refs" / "slipway").iterdir()):
        ref.with_name(f"{ref.name}.lock").touch()


BREAKS = [_truncate_pack, _lose_index, _empty_ref, _half_made, _bad_config, _stale_locks]


@pytest.mark.parametrize("break_it", BREAKS)
def test_a_damaged_mirror_is_made_anew(
    hub: GitHub, url: str, mirror: Mirror, break_it: Callable[[Path], None]
) -> None:
    """Whatever a kill left behind, the next fetch of a new commit ends with a sound mirror."""
    mirror.fetch(url, commit(hub, "1"), TOKEN)
    break_it(mirror.directory)
    new = mirror.fetch(url, commit(hub, "2"), TOKEN)
    assert new.read("slipway.toml") == b"2"
    walk = ("rev-list", "--objects", "--quiet", new.commit)
    assert mirror.git.run(*walk, directory=mirror.directory).code == 0


@pytest.mark.parametrize("break_it", [_truncate_pack, _lose_index])
def test_damage_found_while_reading_is_mended_by_the_next_try(
    hub: GitHub, url: str, mirror: Mirror, break_it: Callable[[Path], None], tmp_path: Path
) -> None:
    """A mirror that breaks after the fetch is a passing fault, and the retry starts afresh."""
    sha = commit(hub)
    snapshot = mirror.fetch(url, sha, TOKEN)
    break_it(mirror.directory)
    with pytest.raises(PassingError, match="damaged"):
        snapshot.export(tmp_path / "work")
    assert mirror.fetch(url, sha, TOKEN).read("slipway.toml") == b"1"


def test_half_a_commit_is_not_taken_for_a_whole_one(hub: GitHub, url: str, mirror: Mirror) -> None:
    """A commit whose files are missing in the mirror is fetched all the same."""
    mirror.fetch(url, commit(hub, "1"), TOKEN)
    sha = commit(hub, "2")
    name = Path(sha[:2]) / sha[2:]
    torn = mirror.directory / "objects" / name
    torn.parent.mkdir(exist_ok=True)
    torn.write_bytes((hub.git(NAME).path / "objects" / name).read_bytes())
    assert mirror.fetch(url, sha, TOKEN).read("slipway.toml") == b"2"


def test_a_stale_lock_costs_no_new_mirror(hub: GitHub, url: str, mirror: Mirror) -> None:
    """Lock files of a killed git are removed, not taken for damage."""
    mirror.fetch(url, commit(hub, "1"), TOKEN)
    sha = commit(hub, "2")
    (mirror.directory / KEPT / f"{sha}.lock").touch()
    inode = mirror.directory.stat().st_ino
    mirror.fetch(url, sha, TOKEN)
    assert mirror.directory.stat().st_ino == inode


@pytest.mark.parametrize("sha", ["master", "-h", "--upload-pack=x", "AB" * 20, "ab", "", "a;b\n"])
def test_only_whole_commit_ids_are_fetched(url: str, mirror: Mirror, sha: str) -> None:
    """Names, options and short ids are refused before git sees them."""
    with pytest.raises(UserError, match="not a commit id"):
        mirror.fetch(url, sha, TOKEN)


def test_an_id_of_something_else_is_refused(
    hub: GitHub, url: str, mirror: Mirror, plumbing: Plumbing
) -> None:
    """The id of a tree is no commit, however often it is asked for."""
    commit(hub)
    tree = plumbing.git.run("rev-parse", "master^{tree}")
    for _ in range(2):
        with pytest.raises(UserError, match="no commit"):
            mirror.fetch(url, tree, TOKEN)


def test_the_head_of_a_branch(hub: GitHub, url: str, git: Git) -> None:
    """A branch's head is told without a mirror; a branch that isn't there has none."""
    sha = commit(hub)
    hub.commit(NAME, "x/refs/heads/develop", {"a": "b"})
    assert head(git, url, "master", TOKEN) == sha
    assert head(git, url, "develop", TOKEN) is None
    with pytest.raises(OurError, match="GITHUB_TOKEN"):
        head(git, url, "master")
    hub.fail_next("GET", "info/refs", status=503)
    with pytest.raises(PassingError):
        head(git, url, "master", TOKEN)


def test_an_empty_repository_has_no_head(url: str, git: Git) -> None:
    """Nothing was pushed yet: no branch, no error."""
    assert head(git, url, "master", TOKEN) is None


def test_the_callers_environment_stays_outside(
    hub: GitHub, url: str, git: Git, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Neither the process's GIT_ variables nor a user's configuration reach git."""
    (tmp_path / ".gitconfig").write_text('[url "http://127.0.0.1:9/"]\n\tinsteadOf = http://\n')
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / ".gitconfig"))
    monkeypatch.setenv("GIT_DIR", "/elsewhere")
    monkeypatch.setenv("GIT_TRACE_CURL", "1")
    given = {"GIT_DIR": "/elsewhere", "GIT_SSH_COMMAND": "false", "SSL_CERT_FILE": "/certs.pem"}
    assert Mirror(Git(git.root, network=given), 1).fetch(url, commit(hub), TOKEN).tree()


class Proxy(BaseHTTPRequestHandler):
    """Refuses everything, and keeps for what it was asked."""

    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        """One request of git's."""
        self.asked.append(self.path)
        self.send_error(502)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.mark.parametrize("name", ["http_proxy", "ALL_PROXY", "all_proxy"])
def test_git_goes_through_the_callers_proxy(
    git: Git, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Whichever variable of those that git knows the worker's process has."""
    for each in NETWORK:
        monkeypatch.delenv(each, raising=False)
        monkeypatch.delenv(each.lower(), raising=False)
    Proxy.asked.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Proxy) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        monkeypatch.setenv(name, f"http://127.0.0.1:{server.server_port}")
        settings = Settings(config=git.root, github_webhook_secrets="a webhook secret")
        network = Workshop(settings, Operator(environments={}, repositories=[])).network
        with pytest.raises(PassingError):
            head(Git(git.root, network=network), "http://git.example.com/octo/cat.git", "master")
        server.shutdown()
    assert Proxy.asked[0].startswith("http://git.example.com/octo/cat.git/info/refs")


def test_secrets_are_masked() -> None:
    """Neither a token nor what looks like credentials stays in a text."""
    text = "fatal: http://a:b@h/x socks5h://a:b@h Authorization: Basic Zm9v tok3n"
    masked = "fatal: http://***@h/x socks5h://***@h Authorization: Basic *** ***"
    assert mask(text, ["tok3n"]) == masked
