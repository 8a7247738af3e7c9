"""What a rollback goes back to, by our own release history: never guessed from version numbers."""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from pydantic import BaseModel, ConfigDict

from workers.ledger.model.order import Source
from workers.ledger.model.released import Released
from workers.ledger.model.run import Release

PREVIOUS = "previous"
SHOWN = 5
_COMMIT = re.compile(r"[0-9a-f]{7,64}")


class UnknownError(LookupError):
    """Nothing like that was ever released there."""


class AmbiguousError(LookupError):
    """Several things are meant by it; the text names them."""


class PlacedSite(BaseModel):
    """A site as a release put it: its bucket, how long files stay (seconds), its CloudFront."""

    model_config = ConfigDict(frozen=True)

    bucket: str
    keep: float
    distribution: str | None = None
    sha256: str


class Target(BaseModel):
    """One commit of one repository as it was released: its functions' versions, and its site."""

    model_config = ConfigDict(frozen=True)

    source: Source
    commit: str
    releases: tuple[Release, ...] = ()
    site: PlacedSite | None = None


def find(
    rows: Sequence[Released], to: str, *, repository: str | None = None, function: str | None = None
) -> Target:
    """What `to` (a commit, how it begins, or "previous") means in an environment's history.

    `rows` are what was made live there, newest first.

    Raises:
        ValueError: `to` is no commit.
        UnknownError: it was never released there.
        AmbiguousError: it may mean several commits, or repositories.
    """
    rows = _of(rows, repository, function)
    if to == PREVIOUS:
        _one_repository(rows)
        commit = _previous(rows, function)
    else:
        commit = _commit(rows, to)
    return _target(_only(rows, commit), function)


def _of(rows: Sequence[Released], repository: str | None, function: str | None) -> list[Released]:
    # What older versions of Slipway wrote down is too little to go back to.
    found = [row for row in rows if row.source is not None]
    if repository is not None:
        found = [row for row in found if _alike(row.repository, repository)]
        if not found:
            raise UnknownError(f"repository {repository[:100]} was never released there")
    if function is not None:
        found = [row for row in found if _alike(row.function, function)]
        if not found:
            raise UnknownError(f"function {function[:100]} was never released there")
    if not found:
        raise UnknownError("nothing was ever released there")
    return found


def _alike(found: str | None, wanted: str) -> bool:
    return (found or "").lower() == wanted.lower()


def _one_repository(rows: Iterable[Released]) -> None:
    names = sorted({str(row.repository) for row in rows})
    if len(names) > 1:
        raise AmbiguousError(f"several repositories release there: {', '.join(names)}; name one")


def _commit(rows: Sequence[Released], to: str) -> str:
    start = to.lower()
    if not _COMMIT.fullmatch(start):
        raise ValueError(f'expected a commit, at least 7 digits of it, or "{PREVIOUS}"')
    commits = list(dict.fromkeys(str(row.commit) for row in rows))
    found = [commit for commit in commits if commit.startswith(start)]
    if not found:
        last = ", ".join(commit[:7] for commit in commits[:SHOWN])
        raise UnknownError(f"commit {to[:64]} was never released there; the last ones: {last}")
    if len(found) > 1:
        raise AmbiguousError(f"several commits begin with {start}: {', '.join(found[:SHOWN])}")
    return found[0]


def _only(rows: Iterable[Released], commit: str) -> list[Released]:
    """The rows of a commit, which must be one repository's: a fork has the same commits."""
    found = [row for row in rows if row.commit == commit]
    _one_repository(found)
    return found


def _previous(rows: Sequence[Released], function: str | None) -> str:
    """What was live before what is live now, with all that was rolled back from left out."""
    commits: list[str] = []
    for commit, back in _releases(rows, function):
        if back and commit in commits:
            del commits[commits.index(commit) + 1 :]
        elif not commits or commits[-1] != commit:
            commits.append(commit)
    if len(commits) < 2:  # noqa: PLR2004 - the one that is live, and one before
        now = f" before {commits[-1][:7]}" if commits else ""
        raise UnknownError(f"nothing was released there{now}, as far as the history goes back")
    return commits[-2]


def _releases(rows: Sequence[Released], function: str | None) -> Iterator[tuple[str, bool]]:
    """Each release's commit, oldest first, and whether it was a rollback; parts don't count."""
    for _, group in groupby(reversed(rows), key=lambda row: row.run):
        row = next(group)
        back = row.rollback
        if function is not None or back is None or not back.function:
            yield str(row.commit), back is not None


def _target(rows: Sequence[Released], function: str | None) -> Target:
    newest: dict[str | None, Released] = {}
    for row in rows:
        newest.setdefault(row.function, row)
    site = newest.pop(None, None)
    releases = [
        Release(
            function=str(name),
            version=row.version,
            sha256=row.sha256,
            commits=row.commits,
        )
        for name, row in sorted(newest.items(), key=lambda item: str(item[0]))
    ]
    first = rows[0]
    placed = None
    if site and site.site and not function:
        placed = PlacedSite(**site.site.model_dump(), sha256=str(site.sha256))
    return Target(
        source=Source.model_validate(first.source),
        commit=str(first.commit),
        releases=tuple(releases),
        site=placed,
    )
