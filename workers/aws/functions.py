"""New code and new versions of Lambda functions; settings of a function are never touched."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from config.units import duration
from workers.aws.configuration import LATEST, State, commit_of
from workers.aws.configuration import read as _read
from workers.aws.entry import Entry, Function, judge, same
from workers.aws.faults import ChangedError, InProgressError, translated
from workers.ledger.model.errors import OurError, PassingError, UserError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from mypy_boto3_lambda.type_defs import (
        PublishVersionRequestTypeDef,
        UpdateFunctionCodeRequestTypeDef,
    )

    from workers.aws.artifacts import Artifact
    from workers.aws.session import Aws

PATIENCE = 300.0
"""Seconds that an update may take; botocore's own waiter, function_updated_v2, waits as long."""

DECISIONS = 6
"""How often we start anew because somebody else changed the function."""

FIRST_POLL, LAST_POLL, POLL_GROWTH = 0.2, 2.0, 1.5
ANY_ENTRY, UNKNOWN = Entry(), Function()
CODE_FAULTS = re.compile(r"InvalidZipFile|InvalidRuntime|FunctionError")
"""Reason codes (botocore's LastUpdateStatusReasonCode) that speak about the package itself."""


@dataclass(frozen=True)
class Version:
    """A published version; `commit` is None when its description isn't one, `size` in bytes."""

    number: str
    commit: str | None
    sha256: str
    size: int = 0
    entry: Function = UNKNOWN


def versions(aws: Aws, function: str) -> Iterator[Version]:
    """The published versions of a function, oldest first, a page (50) per call."""
    with translated(f"listing the versions of {function}", function=function, region=aws.region):
        pages = aws.lambda_.get_paginator("list_versions_by_function")
        for page in pages.paginate(FunctionName=function):
            for item in page["Versions"]:
                if item["Version"] != LATEST:
                    commit = commit_of(item.get("Description", ""))
                    size = item.get("CodeSize", 0)
                    sha256, entry = item.get("CodeSha256", ""), Function.of(item)
                    yield Version(item["Version"], commit, sha256, size, entry)


def version_commit(aws: Aws, function: str, version: str) -> str | None:
    """The commit that a version bears; None when its description isn't one, or for $LATEST."""
    if version == LATEST:
        return None
    return commit_of(_read(aws, function, version).description)


def described(aws: Aws, function: str, number: str) -> Version:
    """One version, or $LATEST, as AWS describes it; its size isn't told.

    Raises:
        UserError: it doesn't exist.
    """
    state = _read(aws, function, number)
    return Version(number, commit_of(state.description), state.sha256)


def holds(aws: Aws, function: str, version: str, sha256: str, entry: Entry = ANY_ENTRY) -> bool:
    """Whether a version is there, active, with that package (base64), entered that way."""
    try:
        state = _read(aws, function, version)
    except UserError:
        return False  # it is gone
    ours = state.sha256 == sha256 and same(entry, state.entry)
    return ours and not (state.pending or state.failure)


def deploy(  # noqa: PLR0913 - what to deploy, and two ways back to the caller
    aws: Aws,
    function: str,
    artifact: Artifact,
    commit: str,
    *,
    watch: Callable[[], None],
    say: Callable[[str], None],
    patience: float = PATIENCE,
    fresh: bool = False,
    entry: Entry = ANY_ENTRY,
) -> Version:
    """Make the package the function's code and publish it; returns the version, active.

    Its commit is another than ours where AWS had published the very same before. Repeating it is
    harmless: what is published already is found by commit and hash. The caller holds the function's
    lock, since all branches share $LATEST. `watch` is called between polls and raises to stop;
    `say` takes a line for the run's log; `patience` is how many seconds to wait for updates,
    others' and ours. `fresh` says that nobody has begun to publish this commit before, which saves
    the listing of all versions, a call of Lambda's scarce quota. `entry` is what the function must
    have before its code is changed.

    Raises:
        UserError: the function doesn't exist, is entered another way, or AWS can't use the package.
        OurError: AWS failed to apply the update, or S3 holds other bytes.
        PassingError: out of reach, or in others' hands for too long.
    """
    deploying = _Deploying(aws, function, artifact, commit, watch, say, patience, fresh, entry)
    number = deploying.publish()
    state = deploying.settled(number, "the new version")
    return Version(number, commit_of(state.description), state.sha256)


@dataclass
class _Deploying:
    """One deploy under way."""

    aws: Aws
    function: str
    artifact: Artifact
    commit: str
    watch: Callable[[], None]
    say: Callable[[str], None]
    patience: float
    fresh: bool
    entry: Entry

    def __post_init__(self) -> None:
        self.deadline = time.monotonic() + self.patience

    def publish(self) -> str:
        """The version that bears our commit and package, published if need be."""
        changes = 0
        pauses = _pauses()
        while True:
            try:
                return (None if self.fresh else self._published()) or self._decide()
            except InProgressError as busy:
                self._pause(next(pauses), str(busy))
            except ChangedError as changed:
                self.fresh = False
                changes += 1
                if changes >= DECISIONS:
                    raise
                self.say(f"{changed}; looking again")
                self._pause(next(pauses), str(changed))

    def settled(self, qualifier: str = LATEST, what: str = "", *, forgive: bool = False) -> State:
        """Poll until no update is under way.

        With `forgive`, an update that failed counts as settled: we are about to replace it.
        """
        for pause in _pauses():
            state = _read(self.aws, self.function, qualifier)
            if not state.pending:
                if state.failure and not forgive:
                    raise self._failed(state.failure)
                return state
            self._pause(pause, f"{what or self.function} isn't ready yet")
        raise AssertionError("the pauses never end")

    def _published(self) -> str | None:
        ours = (self.commit, self.artifact.sha256)
        found = None
        for version in versions(self.aws, self.function):
            # A version keeps its handler and runtime: one of before a change is not what is wanted.
            if (version.commit, version.sha256) == ours and same(self.entry, version.entry):
                found = version.number
        if found:
            self.say(f"{self.function}: version {found} already bears this commit and package")
        return found

    def _decide(self) -> str:
        state = self.settled(forgive=True)
        warning = judge(self.function, self.entry, state.entry)
        if warning:
            self.say(f"{self.function}: {warning}")
        if state.sha256 != self.artifact.sha256 or state.failure:
            self._update(state.revision_id)
            # The id changes once more when the update completes: never chain the earlier one.
            state = self.settled()
            if state.sha256 != self.artifact.sha256:
                raise ChangedError(f"{self.function}: somebody else replaced the code meanwhile")
        else:
            self.say(f"{self.function}: has this code already")
        return self._publish(state.revision_id)

    def _update(self, revision_id: str | None) -> None:
        request: UpdateFunctionCodeRequestTypeDef = {
            "FunctionName": self.function,
            "S3Bucket": self.artifact.bucket,
            "S3Key": self.artifact.key,
        }
        if self.artifact.version_id:
            request["S3ObjectVersion"] = self.artifact.version_id
        if revision_id:
            request["RevisionId"] = revision_id
        with self._translated("updating the code"):
            answer = self.aws.lambda_.update_function_code(**request)
        self._check(answer["CodeSha256"], f"s3://{self.artifact.bucket}/{self.artifact.key}")
        self.say(f"{self.function}: new code")

    def _publish(self, revision_id: str | None) -> str:
        request: PublishVersionRequestTypeDef = {
            "FunctionName": self.function,
            "Description": self.commit,
            "CodeSha256": self.artifact.sha256,
        }
        if revision_id:
            request["RevisionId"] = revision_id
        with self._translated("publishing a version"):
            answer = self.aws.lambda_.publish_version(**request)
        version = answer["Version"]
        self._check(answer["CodeSha256"], f"version {version}")
        if answer.get("Description") == self.commit:
            self.say(f"{self.function}: version {version}")
        else:
            self.say(
                f"{self.function}: version {version} holds the same package, "
                f"published before as {answer.get('Description') or 'an unnamed one'}"
            )
        return version

    def _check(self, sha256: str, what: str) -> None:
        if sha256 != self.artifact.sha256:
            raise OurError(
                f"{self.function}: {what} has other bytes than the package that was built "
                f"(SHA-256 {sha256 or 'unknown'}, expected {self.artifact.sha256}). "
                "Nothing was released; find out who else writes to the bucket or the function"
            )

    def _failed(self, failure: tuple[str, str]) -> OurError | UserError:
        code, reason = failure
        kind = UserError if CODE_FAULTS.search(code) else OurError
        turn = "correct the package" if kind is UserError else "the operator's turn"
        return kind(f"{self.function}: AWS could not apply the update, {turn} ({code}: {reason})")

    def _translated(self, what: str) -> AbstractContextManager[None]:
        return translated(
            f"{self.function}: {what}", function=self.function, region=self.aws.region
        )

    def _pause(self, seconds: float, why: str) -> None:
        self.watch()
        if time.monotonic() + seconds > self.deadline:
            raise PassingError(f"{why}; waited {duration(self.patience)}")
        time.sleep(seconds)


def _pauses() -> Iterator[float]:
    pause = FIRST_POLL
    while True:
        yield pause
        pause = min(pause * POLL_GROWTH, LAST_POLL)
