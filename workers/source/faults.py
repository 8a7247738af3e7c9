"""What git's complaints mean, and who must act on them."""

import re
import signal
from enum import StrEnum

from config import trust
from config.masker import cut
from workers.ledger.model.errors import OurError, PassingError, RunError, UserError
from workers.source.git import Result


class Trouble(StrEnum):
    """Why git failed."""

    DAMAGED = "damaged"
    DENIED = "denied"
    DISK = "disk"
    LARGE = "large"
    MOVED = "moved"
    REFUSED = "refused"
    UNKNOWN_COMMIT = "unknown commit"
    UNREACHABLE = "unreachable"
    UNTRUSTED = "untrusted"


# The first that matches counts. What none of them knows is taken for a damaged mirror, which is
# only a copy: fetching it anew is the repair that always works.
COMPLAINTS: tuple[tuple[Trouble, str], ...] = (
    (Trouble.DISK, r"No space left on device|Disk quota exceeded|Read-only file system"),
    (Trouble.DISK, r"Too many open files|Cannot allocate memory|out of memory, (malloc|calloc)"),
    (Trouble.DISK, r"cannot fork|unable to create thread|Resource temporarily unavailable"),
    (Trouble.DENIED, r"returned error: (401|403|404)\b|Authentication failed"),
    (
        Trouble.DENIED,
        r"could not read (Username|Password)|repository .* not found|Repository not found",
    ),
    (Trouble.MOVED, r"returned error: 30[12378]\b"),
    (Trouble.UNREACHABLE, r"returned error: \d{3}\b"),
    (Trouble.UNTRUSTED, r"certificate|SSL: no alternative|(CAfile|trust anchors)"),
    (Trouble.UNKNOWN_COMMIT, r"not our ref|unadvertised object|couldn't find remote ref"),
    (Trouble.REFUSED, r"error in packed object|fsck error|disallowed submodule|\.gitmodules"),
    (Trouble.REFUSED, r"maximum allowed tree depth"),
    (Trouble.DAMAGED, r"File exists|bad object|corrupt|is empty|not a git repository|bad config"),
    (Trouble.DAMAGED, r"local object|packfile \S+ (is|cannot|index)|did not send all necessary"),
    (Trouble.UNREACHABLE, r"unable to access|Could not resolve|Failed to connect|Connection "),
    (Trouble.UNREACHABLE, r"timed out|too slow|early EOF|RPC failed|hung up|disconnect|TLS|SSL"),
    (Trouble.UNREACHABLE, r"bad line length|protocol error|expected|remote error|server response"),
)


FAULTS: dict[Trouble, tuple[type[RunError], str]] = {
    Trouble.UNKNOWN_COMMIT: (
        UserError,
        "{wanted} is not in {repository}: was the branch deleted or force-pushed?",
    ),
    Trouble.REFUSED: (
        UserError,
        "git refuses {wanted} of {repository} or its history as malformed: {said}",
    ),
    Trouble.DENIED: (
        OurError,
        (
            "{repository} is gone or not readable with the credentials there are ({said}): give "
            "GITHUB_TOKEN, or the GitHub App, read access to its contents"
        ),
    ),
    Trouble.UNTRUSTED: (
        OurError,
        (
            "the server of {repository} has no certificate that is trusted here ({said}): "
            f"{trust.TURN}"
        ),
    ),
    Trouble.DISK: (
        PassingError,
        (
            "no room for the mirror of {repository} ({said}): the operator frees some in "
            "SLIPWAY_DATA_DIR, or gives this machine more"
        ),
    ),
    Trouble.LARGE: (UserError, "{repository} is larger than it may be at {wanted}: {said}"),
    Trouble.MOVED: (
        OurError,
        (
            "{repository} has moved to where Slipway can't follow ({said}): push a new commit "
            "from its new place"
        ),
    ),
    Trouble.UNREACHABLE: (PassingError, "{repository} can't be fetched for now: {said}"),
    Trouble.DAMAGED: (OurError, "git failed on {repository} even with a new mirror: {said}"),
}


def diagnose(result: Result) -> Trouble:
    """Why this call failed."""
    # The name of a repository may hold any of the words that are looked for.
    if result.code == -signal.SIGSEGV or "died of signal 11" in result.complaint:
        return Trouble.REFUSED  # trees that are nested without end: git follows them on its stack
    complaint = re.sub(r"https?://\S+", "", result.complaint)
    for trouble, pattern in COMPLAINTS:
        if re.search(pattern, complaint, re.IGNORECASE):
            return trouble
    return Trouble.DAMAGED


def fault(trouble: Trouble, repository: str, wanted: str, result: Result) -> RunError:
    """The error to raise when fetching `wanted`, a commit or a branch, came to this end."""
    kind, text = FAULTS[trouble]
    return kind(text.format(wanted=wanted, repository=repository, said=said_by(result)))


def said_by(result: Result) -> str:
    """The telling lines of what git said, on one line of 500 characters at most."""
    lines = [line.strip() for line in result.complaint.splitlines()]
    telling = [line for line in lines if line.startswith(("fatal:", "error:", "remote:"))]
    text = "; ".join(dict.fromkeys(telling or filter(None, lines)))
    if result.code == -signal.SIGSEGV:
        return "its folders are nested deeper than git can follow"
    return cut(text, 500) or f"git ended with {result.code}"
