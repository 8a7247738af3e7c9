"""Whether a failed step of a Dockerfile says that a registry was out of reach.

Each tool's own words: a program of the repository that prints "connection refused" is its own
business. A package that doesn't exist, or may not be had, speaks otherwise (404, E404, "No matching
distribution", "Unable to locate package" with no trouble before it).
"""

import re
from collections.abc import Iterable

MOST_CHARACTERS = 1000
_TIME = re.compile(r"^\d+\.\d+ ")
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_BUSY = r"(?:429|5\d\d)"
_DOWN = (
    r"(?:temporary failure|name resolution|could not resolve|couldn't resolve|unable to resolve"
    r"|no such host|server misbehaving|bad address|unknownhost|getaddrinfo|connection refused"
    r"|econnrefused|connection reset|econnreset|connect(?:ion)? (?:timed out|timeout)|connection"
    r" failed|could not connect|failed to connect|unable to connect|can't connect|i/o timeout"
    r"|handshake timeout|timed out|etimedout|network is unreachable|no route to host"
    r"|remote end closed|unexpected eof|: eof\b)"
)
# What begins a line of each tool, and what follows somewhere behind it.
_TOOLS = (
    # pip, pipenv, poetry and pdm, which share its parts
    (r"warning: retrying \(retry\(total=\d+", r"(?:newconnectionerror|connecttimeout|readtimeout)"),
    (r"warning: retrying \(retry\(total=\d+", r"(?:protocolerror|proxyerror|nameresolution)"),
    (r"warning: retrying \(retry\(total=\d+", r"(?:connectionreset|remotedisconnected|timed out)"),
    (r"could not fetch url ", rf"(?:connection error|\b{_BUSY} (?:server|client) error)"),
    (r"error: http error ", rf"^error: http error {_BUSY} while getting"),
    (r"error: could not install packages due to an (?:os|environment)error", r"max retries"),
    (r"pip\._(?:vendor\.urllib3\.exceptions|internal\.exceptions)\.", rf"(?:timeout|{_DOWN})"),
    (r"all attempts to connect to ", "failed"),
    # uv
    (r"(?:error: |\s*├─▶ |\s*╰─▶ |\s*caused by: )", r"(?:dns error|tcp connect error)"),
    (r"(?:error: |\s*├─▶ |\s*╰─▶ |\s*caused by: )", rf"http status \w+ error \({_BUSY}"),
    (r"(?:error: |\s*├─▶ |\s*╰─▶ |\s*caused by: )", r"(?:operation timed out|connection reset)"),
    # npm, yarn, pnpm
    (
        r"npm (?:err!|error) (?:code|errno|network) ",
        (
            r"(?:eai_again|enotfound|econn|etimedout|esockettimedout|ehostunreach|enetunreach|epipe"
            rf"|err_socket_timeout|e{_BUSY}\b|network connectivity)"
        ),
    ),
    (r"npm (?:err!|error) ", rf"\b{_BUSY} (?:too many|internal|bad gateway|service|gateway)"),
    (r"error an unexpected error occurred", rf"(?:request failed .?\"?{_BUSY}|{_DOWN})"),
    (r"error an unexpected error occurred", r"(?:enotfound|eai_again|esockettimedout)"),
    (r"(?:➤ )?yn\d{4}: ", rf"(?:requesterror|{_DOWN}|response code: {_BUSY})"),
    (r"\s*err_pnpm_(?:meta_fetch_fail|fetch_(?:429|5\d\d))", ""),
    (r"\s*warn\s+get https?://", r"error \((?:e[a-z_]+|429|5\d\d|err_[a-z_]+)\)\. will retry"),
    # go
    (r"go: |\S+\.go:\d+:\d+: ", _DOWN),
    (r"go: |\S+\.go:\d+:\d+: ", rf"(?:reading|get) \"?https?://.*: {_BUSY} "),
    # apt, apk, dnf
    (r"(?:err:\d+|[ew]:|ign:\d+| ) ", rf"(?:{_DOWN}|temporary failure resolving)"),
    (r"[ew]: failed to fetch ", rf"(?: {_BUSY} |{_DOWN}|hash sum mismatch)"),
    (r"(?:warning|error): .*", r"(?:temporary error \(try again later\)|network error \()"),
    (r"(?:\s*-? ?)?curl error \((?:5|6|7|18|28|35|52|55|56)\)", ""),
    (r"\s*(?:- )?status code: ", rf"^\s*(?:- )?status code: {_BUSY} for"),
    # curl, wget, git
    (r"curl: \((?:5|6|7|18|28|35|52|55|56)\)", ""),
    (r"curl: \(22\)", rf"returned error: {_BUSY}"),
    (r"wget: (?:unable to resolve|can't connect|bad address|server returned error)", ""),
    (r"(?:connecting to|resolving) ", rf"failed: {_DOWN}"),
    (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d error ", rf"error {_BUSY}: "),
    (r"fatal: unable to access ", rf"(?:{_DOWN}|returned error: {_BUSY}\b)"),
    # cargo, Maven, Gradle, RubyGems, Composer, NuGet, conda
    (r"(?:warning: spurious network error|\s*\[(?:5|6|7|28|35|52|56)\] )", ""),
    (r".*could not transfer artifact ", rf"(?:{_DOWN}|status(?: code)?:? {_BUSY})"),
    (r"\s*> could not (?:get|head) 'https?://", ""),
    (r".*gem::remotefetcher::fetcherror", ""),
    (r"(?:net::\w+timeout|could not (?:fetch specs from|reach host) )", ""),
    (r".*curl error (?:5|6|7|18|28|35|52|55|56) while downloading", ""),
    (r".*error nu1301:", ""),
    (r"condahttperror: http (?:000|429|5\d\d)", ""),
)
_SIGNS = tuple((re.compile(begin), re.compile(rest)) for begin, rest in _TOOLS)
_OWN = re.compile(r"^(?:curl: |wget: |connecting to |resolving )")
_HERE = re.compile(r"localhost|127\.\d+\.\d+\.\d+|\[::1\]")


def said(lines: Iterable[str]) -> str | None:
    """The line of a step's output that says so, if one does."""
    for line in lines:
        plain = _TIME.sub("", _COLOUR.sub("", line[:MOST_CHARACTERS]))
        low = plain.lower()
        # Whoever asks the machine itself asks for a server of the step's own.
        if _OWN.match(low) and _HERE.search(low):
            continue
        if any(begin.match(low) and rest.search(low) for begin, rest in _SIGNS):
            return plain.strip()
    return None
