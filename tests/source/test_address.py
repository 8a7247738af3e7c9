"""Which clone URLs are fetched."""

import pytest

from workers.ledger.model.errors import OurError
from workers.source.address import allowed, origin, repository_name

GITHUB = "https://api.github.com"


@pytest.mark.parametrize(
    ("clone_url", "api_url"),
    [
        ("https://github.com/watchlist/movies-store.git", GITHUB),
        ("https://github.com/watchlist/movies-store", f"{GITHUB}/"),
        ("https://GitHub.com:443/watchlist/movies.store_2.git", GITHUB),
        ("https://ghe.example/o/n.git", "https://ghe.example/api/v3"),
        ("https://ghe.example:8443/o/n.git", "https://ghe.example:8443/api/v3"),
        ("https://octo.ghe.com/o/n.git", "https://api.octo.ghe.com"),
        ("http://127.0.0.1:9999/o/n.git", "http://127.0.0.1:8123"),
        ("http://localhost:9999/o/n.git", "http://localhost:8123/api/v3"),
        ("http://[::1]:9999/o/n.git", "http://[::1]:8123"),
        ("http://LocalHost:9999/o/n.git", "http://LOCALHOST:8123"),
        ("http://127.0.0.1:8123/git/o/n.git", "http://127.0.0.1:8123/api/v3"),
    ],
)
def test_the_apis_own_host_is_allowed(clone_url: str, api_url: str) -> None:
    """A clone URL on the host that belongs to the API is taken."""
    allowed(clone_url, api_url)


@pytest.mark.parametrize(
    ("clone_url", "api_url"),
    [
        ("https://evil.example/o/n.git", GITHUB),
        ("https://github.com.evil.example/o/n.git", GITHUB),
        ("https://api.github.com/o/n.git", GITHUB),
        ("https://github.com:8443/o/n.git", GITHUB),
        ("https://ghe.example/o/n.git", "https://ghe.example:8443/api/v3"),
        ("https://169.254.169.254/o/n.git", GITHUB),
        ("https://127.0.0.1:9999/o/n.git", GITHUB),
        ("http://127.0.0.2:8123/o/n.git", "http://127.0.0.1:8123"),
        ("http://127.0.0.2:9999/o/n.git", "http://127.0.0.1:8123"),
        ("http://localhost:8123/o/n.git", "http://127.0.0.1:8123"),
        ("http://127.0.0.1:8123/o/n.git", "http://localhost:8123"),
        ("http://[::1]:8123/o/n.git", "http://127.0.0.1:8123"),
        ("http://ghe.example:9999/o/n.git", "http://ghe.example:8123/api/v3"),
    ],
)
def test_other_hosts_are_refused_with_the_way_out(clone_url: str, api_url: str) -> None:
    """A foreign host is refused, and the text names git_hosts."""
    with pytest.raises(OurError, match="git_hosts"):
        allowed(clone_url, api_url)


@pytest.mark.parametrize(
    "clone_url",
    [
        "http://github.com/o/n.git",
        "ext::sh -c touch% /tmp/x",
        "file:///etc/passwd",
        "/etc/passwd",
        "ssh://git@github.com/o/n.git",
        "git@github.com:o/n.git",
        "--upload-pack=touch /tmp/x",
        "-u",
        "",
        "https://user:secret@github.com/o/n.git",
        "https://github.com@evil.example/o/n.git",
        "https://github.com\\@evil.example/o/n.git",
        "https://github.com#@evil.example/o/n.git",
        "https://github.com/o/n.git?x=1",
        "https://github.com/o/n.git#x",
        "https://github.com/o",
        "https://github.com/o/..",
        "https://github.com/../n.git",
        "https://github.com/o/.git",
        "https://github.com/-o/n.git",
        "https://github.com/o/n%2f..",
        "https://github.com/o/n.git\n",
        "https://github.com/o/n .git",
        "https://giţhub.com/o/n.git",
        "https://-github.com/o/n.git",
        "https://github.com./o/n.git",
    ],
)
def test_anything_but_a_plain_https_clone_url_is_refused(clone_url: str) -> None:
    """Other schemes, credentials, queries, odd paths and options are refused."""
    with pytest.raises(OurError):
        allowed(clone_url, GITHUB, git_hosts=["github.com"])


def test_the_operator_may_allow_more_hosts() -> None:
    """A host in git_hosts is taken, with its port when it has one."""
    allowed("https://git.example:8443/o/n.git", GITHUB, git_hosts=["Git.example:8443"])
    with pytest.raises(OurError):
        allowed("https://git.example/o/n.git", GITHUB, git_hosts=["git.example:8443"])


def test_what_a_clone_url_says() -> None:
    """Origin and repository name come out of a clone URL."""
    assert origin("https://ghe.example:8443/o/n.git") == "https://ghe.example:8443"
    assert repository_name("https://github.com/o/n.git.git") == "o/n.git"
    assert repository_name("https://github.com/o/n") == "o/n"
