"""Which clone URLs Slipway fetches from, and what they say."""

import ipaddress
import re
from collections.abc import Collection
from urllib.parse import urlsplit

from workers.ledger.model.errors import OurError

# One expression over the whole URL leaves no room for userinfo, queries or parsers that disagree.
CLONE_URL = re.compile(
    r"(?P<origin>(?P<scheme>https?)://"
    r"(?P<host>(?P<name>[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?P<port>:[0-9]{1,5})?))"
    r"(?:/[a-z0-9_][a-z0-9_.-]*){0,3}?"
    r"/(?P<owner>[a-z0-9_][a-z0-9_.-]*)/(?P<repository>[a-z0-9_.-]+)",
    re.IGNORECASE,
)
DOTS = {".", "..", ".git"}


def allowed(clone_url: str, api_url: str, git_hosts: Collection[str] = ()) -> None:
    """Refuse a clone URL that isn't on the host of the API or on one the operator named.

    `git_hosts` holds `host` (on any port) or `host:port`; plain HTTP is for an API URL that is
    plain HTTP itself. The host of an API on a loopback address is taken on any port.

    Raises:
        OurError: the URL is malformed, or its host or scheme isn't allowed.
    """
    parts = _parts(clone_url)
    api = urlsplit(api_url)
    if parts["scheme"].lower() != "https" and api.scheme != "http":
        raise OurError(f"{clone_url} is not fetched: clone URLs must start with https://")
    host = parts["host"].lower().removesuffix(":443" if parts["scheme"] == "https" else ":80")
    name = parts["name"].lower().strip("[]")
    named = {known.lower() for known in git_hosts}
    if named & {host, name} or host == _git_host(api_url):
        return
    # A server of a machine's own, such as a test's: its git side may have a port of its own.
    if name == api.hostname and _loopback(name):
        return
    raise OurError(
        f"{clone_url} is not fetched: {host} is neither the host of GITHUB_API_URL ({api_url}) "
        "nor in git_hosts. If it is yours, add it to git_hosts"
    )


def usual(repository: str, api_url: str) -> str:
    """The clone URL that a repository has on the server of the API."""
    return f"{urlsplit(api_url).scheme}://{_git_host(api_url)}/{repository}.git"


def origin(clone_url: str) -> str:
    """Scheme, host and port of a clone URL: where its credentials may go."""
    return str(_parts(clone_url)["origin"])


def repository_name(clone_url: str) -> str:
    """`owner/name` of a clone URL."""
    parts = _parts(clone_url)
    return f"{parts['owner']}/{parts['repository'].removesuffix('.git')}"


def _parts(clone_url: str) -> dict[str, str]:
    match = CLONE_URL.fullmatch(clone_url)
    if not match or match["repository"] in DOTS or ".." in match["name"]:
        raise OurError(
            f"{clone_url!r} is not fetched: a clone URL looks like https://host/owner/name.git"
        )
    return match.groupdict(default="")


def _git_host(api_url: str) -> str:
    """The host of the git side: api.github.com's is github.com, an Enterprise server's its own."""
    api = urlsplit(api_url)
    host = api.netloc.lower().removesuffix(":443" if api.scheme == "https" else ":80")
    return host if api.path.strip("/") else host.removeprefix("api.")


def _loopback(name: str) -> bool:
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
