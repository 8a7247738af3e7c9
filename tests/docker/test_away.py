"""A registry out of reach inside a step, told from what is the repository's own doing."""

import time

import pytest

from tests.docker.test_images import Building, building
from workers.docker.away import said
from workers.docker.bounds import Bounds
from workers.ledger.model.errors import PassingError, UserError

__all__ = ["building"]

PIP = (
    "WARNING: Retrying (Retry(total=0, connect=None, read=None, redirect=None, status=None)) after "
    "connection broken by 'NewConnectionError('<pip._vendor.urllib3.connection.HTTPSConnection "
    "object at 0x7f>: Failed to establish a new connection: [Errno -3] Temporary failure in name "
    "resolution')': /simple/requests/"
)
AWAY = [
    PIP,
    f"12.34 {PIP}",
    "ERROR: HTTP error 503 while getting https://files.example.org/a.whl",
    "ERROR: HTTP error 429 while getting https://files.example.org/a.whl",
    (
        "ERROR: Could not install packages due to an OSError: HTTPSConnectionPool(host='pip.test', "
        "port=443): Max retries exceeded with url: /simple/x/ (Caused by ...)"
    ),
    (
        "pip._vendor.urllib3.exceptions.ReadTimeoutError: HTTPSConnectionPool(host='pip.test'): "
        "Read timed out."
    ),
    "  Caused by: dns error: failed to lookup address information",
    "npm error code EAI_AGAIN",
    "npm ERR! code ENOTFOUND",
    "npm error code ECONNREFUSED",
    "npm ERR! network request to https://npm.example.org/x failed, reason: connect ECONNRESET",
    "\x1b[31mnpm error code E503\x1b[0m",
    "npm error code E429",
    "npm error 502 Bad Gateway - GET https://npm.example.org/left-pad",
    'error An unexpected error occurred: "https://registry.yarnpkg.com/x: getaddrinfo EAI_AGAIN".',
    "➤ YN0001: │ RequestError: connect ECONNREFUSED 127.0.0.1:4873",
    " ERR_PNPM_META_FETCH_FAIL  GET https://npm.example.org/x: request failed",
    (
        'go: a.example/b@v1: Get "https://proxy.golang.org/x": dial tcp: lookup proxy.golang.org '
        "on 127.0.0.11:53: server misbehaving"
    ),
    (
        'main.go:4:2: a.example/b@v1.2.3: Get "https://proxy.golang.org/x": dial tcp 1.2.3.4:443: '
        "connect: connection refused"
    ),
    "go: github.com/a/b@v1.2.3: reading https://proxy.golang.org/x: 502 Bad Gateway",
    'go: x@v1: Get "https://proxy.golang.org/x": net/http: TLS handshake timeout',
    "W: Failed to fetch http://deb.example.org/x  Temporary failure resolving 'deb.example.org'",
    "E: Failed to fetch http://deb.example.org/x.deb  503  Service Unavailable [IP: 1.2.3.4 80]",
    "  Could not connect to deb.example.org:80 (1.2.3.4). - connect (111: Connection refused)",
    "Err:1 http://deb.example.org/debian bookworm InRelease Temporary failure resolving",
    "WARNING: fetching https://dl-cdn.alpinelinux.org/x: temporary error (try again later)",
    "Curl error (28): Timeout was reached for https://mirrors.example.com/repodata",
    "curl: (6) Could not resolve host: example.com",
    "curl: (22) The requested URL returned error: 503",
    "fatal: unable to access 'https://github.com/a/b/': Could not resolve host: github.com",
    "[ERROR] Could not transfer artifact a:b:jar:1 from/to central: Connection reset",
    "warning: spurious network error (3 tries remaining): Couldn't resolve host name",
]
OWN = [
    "ERROR: Could not find a version that satisfies the requirement nope (from versions: none)",
    "ERROR: No matching distribution found for nope-nope",
    "ERROR: HTTP error 404 while getting https://files.example.org/a.whl",
    "npm error code E404",
    "npm error 404 Not Found - GET https://npm.example.org/nope-nope - Not found",
    "npm error code ERESOLVE",
    "npm error code EINTEGRITY",
    "npm error code E401",
    "go: github.com/nope/nope@v1.2.3: reading https://proxy.golang.org/x: 404 Not Found",
    "main.go:4:2: undefined: x",
    "E: Unable to locate package nope-nope",
    "E: Failed to fetch http://deb.example.org/x.deb  404  Not Found [IP: 1.2.3.4 80]",
    "curl: (22) The requested URL returned error: 404",
    "curl: (7) Failed to connect to localhost port 8080: Connection refused",
    "fatal: unable to access 'https://github.com/a/b/': The requested URL returned error: 403",
    "ConnectionRefusedError: [Errno 111] Connection refused",
    "AssertionError: expected 503 Service Unavailable",
    "FAILED tests/test_client.py::test_timeout - requests.exceptions.ConnectionError: refused",
    "--- FAIL: TestDial (0.00s) dial tcp 127.0.0.1:1: connect: connection refused",
    "Error: connect ECONNREFUSED 127.0.0.1:5432",
    "",
]


@pytest.mark.parametrize("line", AWAY)
def test_a_tools_word_for_out_of_reach_is_known(line):
    """Among other lines, as the tool writes it."""
    assert said(["Collecting requests", line, "ERROR: No matching distribution found"])


@pytest.mark.parametrize("line", OWN)
def test_other_words_are_the_repositorys(line):
    """What doesn't exist, isn't allowed, or is said by a program of the repository."""
    assert said(["Collecting requests", line, "that is all"]) is None


@pytest.mark.parametrize("text", ["a" * 10**6, "npm error " * 10**5, "> " * 10**6, " " * 10**6])
def test_a_long_line_takes_no_time(text):
    """Whatever a step prints is looked at within its first characters."""
    began = time.monotonic()
    assert said([text] * 60) is None
    assert time.monotonic() - began < 2


@pytest.mark.docker
@pytest.mark.parametrize("line", ["npm error code EAI_AGAIN", AWAY[2]], ids=["npm", "pip"])
def test_a_step_without_its_registry_is_tried_again(building: Building, line: str):
    """What the tool has said inside a RUN is quoted by a passing fault."""
    with pytest.raises(PassingError, match="a step found its registry out of reach"):
        building.build("FROM BASE", f"RUN echo '{line}'; exit 1", bounds=Bounds("host", "tests"))


@pytest.mark.docker
def test_a_step_that_fails_by_itself_is_not(building: Building):
    """The repository's own error stays its own."""
    step = "RUN python -c 'raise ConnectionRefusedError(111)'"
    with pytest.raises(UserError, match="failed"):
        building.build("FROM BASE", step, bounds=Bounds("host", "tests"))


@pytest.mark.docker
def test_a_step_that_may_have_no_network_is_not_tried_again(building: Building):
    """Where the operator has turned it off, nothing is out of reach for a moment only."""
    with pytest.raises(UserError, match="failed"):
        building.build("FROM BASE", "RUN echo 'npm error code EAI_AGAIN'; exit 1")
