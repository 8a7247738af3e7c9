"""How the tests of the stand-in reach it."""

import base64

import requests
from github import Auth, Github
from github.Repository import Repository

from tests.stand_ins.github import GitHub

REPO = "octo/movies-loader"


def api(github: GitHub, prefix: str = "") -> Repository:
    """The repository through PyGithub, without its pauses and repeats."""
    auth = Auth.Token(github.token)
    base = github.api_url + prefix
    client = Github(
        base_url=base, auth=auth, retry=None, seconds_between_requests=0, seconds_between_writes=0
    )
    return client.get_repo(REPO)


def call(github: GitHub, method: str, path: str, **more) -> requests.Response:
    """One plain request with the token."""
    headers = {"Authorization": f"Bearer {github.token}"}
    return requests.request(method, github.api_url + path, headers=headers, timeout=10, **more)


def with_token(github: GitHub) -> list[str]:
    """Git options that send the token as GitHub wants it."""
    basic = base64.b64encode(f"x-access-token:{github.token}".encode()).decode()
    return ["-c", f"http.extraHeader=Authorization: Basic {basic}"]
