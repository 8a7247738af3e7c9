"""The GitHub stand-in answers as GitHub's REST API, fails when told to, and runs as a process."""

import json
import os
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import jwt
import pytest
import requests
from github import Auth, Github, GithubException, GithubIntegration

from tests.stand_ins.github import GitHub, GitHubClient, Receiver, StandInError
from tests.stand_ins_self.helpers import REPO, api, call

SECRET = "It's a Secret to Everybody"
ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("prefix", ["", "/api/v3"])
def test_pygithub_posts_and_reads_statuses(github: GitHub, prefix: str):
    """PyGithub posts statuses and reads them back, newest first and combined."""
    sha = github.head(REPO, "master")
    commit = api(github, prefix).get_commit(sha)
    commit.create_status("pending", "http://127.0.0.1/runs/1", "testing", "slipway/test")
    commit.create_status("success", "http://127.0.0.1/runs/1", "tested", "slipway/test")
    commit.create_status("pending", context="slipway/build")
    assert commit.get_combined_status().state == "pending"
    assert [one.context for one in commit.get_statuses()] == ["slipway/build"] + [
        "slipway/test"
    ] * 2
    assert [one.state for one in github.statuses(REPO, sha)] == ["pending", "success", "pending"]
    assert github.latest(REPO, sha)["slipway/test"].description == "tested"
    commit.create_status("error", context="slipway/build")
    assert commit.get_combined_status().state == "failure"


def test_pygithub_reads_repository_branch_and_commit(github: GitHub):
    """The shapes of repository, branch and commit are those that PyGithub knows."""
    sha = github.commit(REPO, "feature/a", {"a": "1"}, "Second")
    repo = api(github)
    assert (repo.id, repo.default_branch, repo.private, repo.fork, repo.owner.login) == (
        github.repository(REPO).id,
        "master",
        True,
        False,
        "octo",
    )
    assert repo.get_branch("feature/a").commit.sha == sha
    assert {branch.name for branch in repo.get_branches()} == {"master", "feature/a"}
    assert repo.get_commit(sha).commit.message == "Second"
    assert repo.get_commit("feature/a").parents[0].sha == github.head(REPO, "master")
    assert repo.get_commit("feature/a").get_combined_status().state == "pending"
    with pytest.raises(GithubException, match="404"):
        repo.get_branch("none")


@pytest.mark.parametrize(
    "change",
    [
        {"state": "running"},
        {"state": None},
        {"description": "x" * 141},
        {"description": "\U0001f680"},
        {"target_url": "ftp://example.com"},
        {"context": "c" * 256},
        {"description": 1},
    ],
)
def test_bad_status_is_refused(github: GitHub, change: dict):
    """A status that GitHub would refuse gets 422, and nothing is kept."""
    sha = github.head(REPO, "master")
    given = {"state": "success", "context": "c", "description": "x" * 140} | change
    response = call(github, "POST", f"/repos/{REPO}/statuses/{sha}", json=given)
    assert response.status_code == 422
    assert github.statuses(REPO, sha) == []


def test_status_needs_a_commit_and_room(github: GitHub):
    """An unknown commit gets 422, and so does the 1001st status of a context."""
    sha = github.head(REPO, "master")
    for unknown in ("f" * 40, sha[:10], "master"):
        path = f"/repos/{REPO}/statuses/{unknown}"
        assert call(github, "POST", path, json={"state": "success"}).status_code == 422
    for _ in range(1000):
        github.add_status(REPO, sha, "pending", "full")
    path = f"/repos/{REPO}/statuses/{sha}"
    full = call(github, "POST", path, json={"state": "success", "context": "full"})
    assert (full.status_code, "maximum number" in full.text) == (422, True)
    assert call(github, "POST", path, json={"state": "success", "context": "b"}).ok


def test_credentials_are_required_and_never_recorded(github: GitHub):
    """Without the token there is 401; each form of it works; none of it is in the record."""
    url, token = f"{github.url}/api/v3/repos/{REPO}", github.token
    assert requests.get(url, timeout=5).status_code == 401
    for value in (f"Bearer {token}", f"token {token}"):
        assert requests.get(url, headers={"Authorization": value}, timeout=5).ok
    for pair in (("x-access-token", token), (token, "x-oauth-basic"), (token, "")):
        assert requests.get(url, auth=pair, timeout=5).ok
    assert requests.get(url, auth=("x-access-token", "wrong"), timeout=5).status_code == 401
    assert call(github, "GET", "/repos/octo/none").status_code == 404
    assert [one.status for one in github.requests] == [401, 200, 200, 200, 200, 200, 401, 404]
    assert github.requests[3].headers["Authorization"] == "Basic x-access-token:***"
    assert token not in repr(github.requests)
    github.revoke_token(token)
    assert call(github, "GET", f"/repos/{REPO}").status_code == 401


def test_app_gets_an_installation_token(github: GitHub, tmp_path: Path):
    """An App finds its installation with a signed claim and gets a token that works."""
    key = tmp_path / "key.pem"
    subprocess.run(["openssl", "genrsa", "-out", str(key), "2048"], check=True, capture_output=True)
    app = GithubIntegration(auth=Auth.AppAuth(1, key.read_text()), base_url=github.api_url)
    installation = app.get_repo_installation(*REPO.split("/"))
    granted = app.get_access_token(installation.id)
    assert granted.expires_at > datetime.now(UTC)
    repo = Github(base_url=github.api_url, auth=Auth.Token(granted.token)).get_repo(REPO)
    assert repo.full_name == REPO
    assert call(github, "GET", f"/repos/{REPO}/installation").status_code == 401
    stale = jwt.encode({"iss": "1", "iat": 0, "exp": 1}, "k" * 32)
    headers = {"Authorization": f"Bearer {stale}"}
    assert requests.get(f"{github.url}/app", headers=headers, timeout=5).status_code == 401


def test_user_and_rate_limit(github: GitHub):
    """PyGithub reads who it is and how much it may ask."""
    client = Github(base_url=github.api_url, auth=Auth.Token(github.token))
    assert client.get_user().login == "octocat"
    assert client.get_rate_limit().rate.limit == 5000


def test_lists_come_in_pages(github: GitHub, receiver: Receiver):
    """PyGithub follows the links of numbered pages and of a cursor."""
    sha = github.head(REPO, "master")
    hook = github.add_hook(REPO, receiver.url)
    for number in range(35):
        github.add_status(REPO, sha, "pending", f"c{number}")
        github.ping(hook)
    repo = api(github)
    assert [one.context for one in repo.get_commit(sha).get_statuses()] == [
        f"c{number}" for number in reversed(range(35))
    ]
    listed = [one.id for one in repo.get_hook_deliveries(hook.id)]
    assert listed == [one.id for one in reversed(github.deliveries)]


def test_faults_strike_as_often_as_ordered(github: GitHub):
    """Each ordered fault spoils its requests, is counted, and leaves the next one alone."""
    path = f"/repos/{REPO}"
    twice = github.fail_next("GET", "^/repos/[^/]+/[^/]+$", 2, headers={"Retry-After": "1"})
    codes = [call(github, "GET", path).status_code for _ in range(3)]
    assert (codes, twice.struck) == ([502, 502, 200], 2)
    never = github.fail_next("DELETE", "nowhere")
    assert github.unstruck() == [never]
    github.fail_next(
        "*", "repos", status=403, body={"message": "wait"}, headers={"Retry-After": "7"}
    )
    limited = call(github, "GET", path)
    assert (limited.status_code, limited.json(), limited.headers["Retry-After"]) == (
        403,
        {"message": "wait"},
        "7",
    )
    github.fail_next("GET", "repos", drop_connection=True)
    with pytest.raises(requests.ConnectionError):
        call(github, "GET", path)
    github.fail_next("GET", "repos", status=None, delay=0.3)
    began = time.monotonic()
    assert (call(github, "GET", path).status_code, time.monotonic() - began > 0.3) == (200, True)
    github.fail_next("GET", "repos", status=200, body='{"id": ')
    with pytest.raises(requests.JSONDecodeError):
        call(github, "GET", path).json()


def test_answer_can_be_lost_after_the_work(github: GitHub):
    """A status whose answer is dropped has been posted all the same."""
    sha = github.head(REPO, "master")
    github.fail_next("POST", "/statuses/", drop_connection=True, after=True)
    with pytest.raises(requests.ConnectionError):
        call(github, "POST", f"/repos/{REPO}/statuses/{sha}", json={"state": "success"})
    assert [one.state for one in github.statuses(REPO, sha)] == ["success"]


def test_stand_in_is_a_process_too(tmp_path: Path, receiver: Receiver, git):
    """As a process of its own it does the same through its client, and keeps its repositories."""
    command = [sys.executable, "-m", "tests.stand_ins.github", "--root", str(tmp_path / "root")]
    ids = []
    for _ in range(2):
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
            try:
                client = GitHubClient(process.stdout.readline().strip())
                ids.append(client.create_repository(REPO).id)
                use_client(client, receiver)
            finally:
                process.terminate()
        assert process.returncode == 0
    assert ids[0] == ids[1]
    assert [json.loads(body)["created"] for _, body in receiver.got[::3]] == [True, False]


def use_client(client: GitHubClient, receiver: Receiver) -> None:
    """Commit, push, open, merge and fail through a client."""
    client.add_hook(REPO, receiver.url, SECRET)
    sha = client.commit(REPO, "master", {"a": os.urandom(9), "b": "x"}, executable=["b"])
    pushed = client.push_event(REPO, "master")[0]
    assert (pushed.payload["after"], pushed.ok) == (sha, True)
    fault = client.fail_next("GET", "rate_limit", status=429)
    headers = {"Authorization": f"Bearer {client.token}"}
    limited = requests.get(f"{client.api_url}/rate_limit", headers=headers, timeout=5)
    assert (limited.status_code, client.struck(fault), client.unstruck()) == (429, 1, [])
    assert client.requests[-1].path == "/rate_limit"
    client.commit(REPO, "feature", {"c": os.urandom(9)})
    pull = client.open_pull_request(REPO, "feature")
    with pytest.raises(StandInError, match="expected one of"):
        client.merge(pull, "octopus")
    assert client.close(pull).state == "closed"
    with pytest.raises(StandInError, match="no repository"):
        client.commit("octo/none", "master", {})
    with pytest.raises(StandInError):
        GitHubClient(client.url, "wrong").head(REPO, "master")
