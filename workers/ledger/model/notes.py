"""What the stages of a run leave for each other on its record: who writes what, and who reads it.

A note lies in the run's hash under its own name: a text as it is, a number in digits, "yes" for
what is true, JSON for the rest; "" and nothing at all say that there is none.
"""

import json
from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict

from workers.ledger.model.alias import Alias
from workers.ledger.model.approval import Vote
from workers.ledger.model.rollback import Target
from workers.ledger.model.rollout import Rollout

YES = "yes"


def _from_json(stored: object) -> object:
    return json.loads(stored) if isinstance(stored, str) else stored


def _from_yes(stored: object) -> object:
    return stored == YES if isinstance(stored, str) else stored


_Json = BeforeValidator(_from_json)
_Flag = Annotated[bool, BeforeValidator(_from_yes)]


class Kept(BaseModel):
    """One function's package in S3; SHA-256 in base64."""

    model_config = ConfigDict(frozen=True)

    bucket: str
    sha256: str


class Built(BaseModel):
    """What one run made out of a tree, by function, and its commit, which is in the keys."""

    model_config = ConfigDict(frozen=True)

    run: str
    commit: str
    packages: dict[str, Kept]


class Handed(BaseModel):
    """An analysis that is handed in: its task on the server, when (ms since 1970), its page."""

    model_config = ConfigDict(frozen=True)

    task: str
    at: int
    page: str


class Notes(BaseModel):
    """The notes of a run; behind each, who writes it → who reads it.

    As a value to write, those that are named count, and None or False takes one back.
    """

    model_config = ConfigDict(frozen=True)

    pipeline: str | None = None
    """The text of slipway.toml: checkout → every later stage."""
    tree: str | None = None
    """The commit's git tree: checkout → test, build."""
    subject: str | None = None
    """The commit's first line: checkout → Slack, email."""
    task_seconds: str | None = None
    """The longest that one task may take: checkout → who looks after lost workers."""
    analysis: Annotated[Handed | None, _Json] = None
    """analyze → analyze, when it looks again."""
    awaits: str | None = None
    """The event that wakes the run: `Lease.awaits`, analyze → `Ledger.wake`."""
    packages: Annotated[dict[str, str] | None, _Json] = None
    """Each function's SHA-256 (base64): build, publish → publish, deploy, approvers."""
    site: str | None = None
    """The SHA-256 of the site's manifest: build, publish, or a rollback's deploy → release."""
    build_key: str | None = None
    """What decides the packages' bytes: build → publish."""
    reused: Annotated[Built | None, _Json] = None
    """The earlier run whose packages are taken over: build, publish → publish."""
    targets: Annotated[Target | None, _Json] = None
    """What a rollback goes back to: who accepts it → deploy, release, a retry."""
    gone: _Flag = False
    """A package of the rollback is no longer kept: deploy → who asked for it."""
    votes: Annotated[tuple[Vote, ...], _Json] = ()
    """What people have said: `Ledger.vote` → approve, approvers."""
    waiting_since: int | None = None
    """Since when people are asked, in milliseconds since 1970: `Lease.wait` → approve."""
    unlocked: str | None = None
    """Who unlocked the environment that held the run: `Locks.unlock` → release."""
    rollout: Annotated[Rollout | None, _Json] = None
    """The gradual release: release → release, everybody (`Run.rollout`)."""
    origin: Annotated[dict[str, str | None] | None, _Json] = None
    """The commit of each place before a rollback: release → release, the history."""
    before: Annotated[dict[str, Alias | None] | None, _Json] = None
    """What each alias pointed to before the first moved: release → release, which puts it back."""
    stuck: Annotated[tuple[str, ...], _Json] = ()
    """What could not be moved at an earlier try, the latest first: release → release."""
    site_switched: _Flag = False
    """The site's files have changed: release → release, which tells CloudFront."""
    unfinished: _Flag = False
    """What has moved must be finished or put back: release → everybody (`Run.unfinished`)."""

    @classmethod
    def of(cls, stored: Mapping[str, str | None]) -> Self:
        """Returns the notes that a run's hash, or some fields of it, holds."""
        return cls.model_validate({name: text for name, text in stored.items() if text})

    def texts(self) -> dict[str, str]:
        """Returns the notes that were named, as they are stored."""
        values = self.model_dump(mode="json", include=self.model_fields_set)
        return {name: _text(value) for name, value in values.items()}


NAMES = tuple(Notes.model_fields)


def _text(value: Any) -> str:  # noqa: ANN401 - what JSON can hold
    if value is None or value is False:
        return ""
    if value is True:
        return YES
    return value if isinstance(value, str) else json.dumps(value)
