"""What a stage gets to work with: the order, the hold on its run, and the rooms it may enter."""

import shutil
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from config.pipeline import Pipeline, parse
from config.server import Environment, Repository
from config.server.builds import size_bytes
from workers.attempt.console import Console
from workers.aws.session import Aws, aws_of
from workers.aws.sites.found import Found
from workers.docker.litter import labels
from workers.ledger import keys
from workers.ledger.lease import Lease
from workers.ledger.model.errors import OurError, UserError
from workers.ledger.model.notes import Notes
from workers.ledger.model.order import Order
from workers.ledger.model.run import Release, Run
from workers.packaging.package import Package
from workers.packaging.site_files import SiteFiles
from workers.source.git import Git
from workers.source.mirror import Mirror
from workers.source.snapshot import Relation, Snapshot
from workers.workshop import Workshop

Note = TypeVar("Note")


@dataclass
class Context:
    """One visit's view of its run; `folder` is private to the visit and goes with it.

    `last_try`: a PassingError of the stage that runs now will end the run. `on_branch`: when
    (monotonic seconds, 0 for never) the branch was last seen to have the commit; `asking` is held
    by whoever looks.
    """

    shop: Workshop
    run: Run
    lease: Lease
    console: Console
    folder: Path
    built: Mapping[str, Package] | None = None
    site: SiteFiles | None = None
    site_found: Found | None = None
    last_try: bool = False
    on_branch: float = 0.0
    resets: dict[str, bool] = field(default_factory=dict)
    asking: threading.Lock = field(default_factory=threading.Lock)
    _relations: dict[str, Relation] = field(default_factory=dict)

    @classmethod
    @contextmanager
    def open(cls, shop: Workshop, run: Run, lease: Lease, console: Console) -> Iterator["Context"]:
        """A context whose folder is gone afterwards."""
        folder = shop.workspaces / f"{run.id}-{lease.fence}"
        try:
            yield cls(shop, run, lease, console, folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    @property
    def order(self) -> Order:
        """What the run is for."""
        return self.run.order

    @cached_property
    def labels(self) -> dict[str, str]:
        """What marks everything in Docker as this visit's."""
        return labels(self.run.id, int(self.lease.fence), self.shop.ledger.identity())

    @cached_property
    def rule(self) -> Repository:
        """What the operator allows this repository.

        Raises:
            OurError: the operator has taken it out since the delivery was accepted.
        """
        rule = self.shop.operator.repository(self.order.repository)
        if rule is None:
            raise OurError(f"{self.order.repository} is no longer in the operator's file")
        return rule

    @cached_property
    def environment(self) -> Environment:
        """Where a deploy goes to.

        Raises:
            OurError: the operator has taken it out since the delivery was accepted.
        """
        found = self.shop.operator.environments.get(self.order.environment or "")
        if found is None:
            raise OurError(f"{self.order.environment} is no longer in the operator's file")
        return found

    @cached_property
    def bucket(self) -> str:
        """Where packages go.

        Raises:
            OurError: the operator named none.
        """
        bucket = self.environment.bucket or self.rule.bucket
        if not bucket:
            raise OurError(
                f"no bucket for {self.order.repository}: the operator sets `bucket` in "
                "[[repositories]]"
            )
        return bucket

    @cached_property
    def aws(self) -> Aws:
        """AWS as the environment's region and role reach it."""
        return aws_of(self.environment)

    def place(self, function: str) -> str:
        """The name of one function's alias in the ledger."""
        return keys.alias(self.aws.home(function), function, self.environment.alias)

    def function_lock(self, function: str) -> str:
        """The name of the lock on one function's code."""
        return keys.function_lock(self.aws.home(function), function)

    def published(self, function: str, version: str, commit: str, sha256: str) -> None:
        """Remember that a version of a function is Slipway's."""
        key = keys.published(self.aws.home(function), function)
        self.lease.published(key, version, commit, sha256)

    @cached_property
    def git(self) -> Git:
        """Git, stopped when the lease is lost."""
        return Git(self.shop.settings.data_dir, self.lease, self.shop.network)

    @cached_property
    def token(self) -> str | None:
        """What git shows to GitHub."""
        return self.shop.github.credentials(self.order.repository)

    @cached_property
    def snapshot(self) -> Snapshot:
        """The order's commit, fetched if this machine doesn't have it yet."""
        return self.fetched(self.order.commit)

    def fetched(self, commit: str) -> Snapshot:
        """One commit of the repository, with its history."""
        most = size_bytes(self.shop.settings.fetch_disk)
        mirror = Mirror(self.git, self.order.repository_id, most=most)
        return mirror.fetch(
            self.order.clone_url, commit, self.token, lambda line: self.say("checkout", line)
        )

    def relation(self, theirs: str) -> Relation:
        """How our commit stands to another, which is fetched when it is not known here."""
        # History does not change: a run's functions mostly run one commit, asked for once.
        known = self._relations.get(theirs)
        if known is None:
            known = self._relation(theirs)
            if known is not Relation.UNKNOWN:
                self._relations[theirs] = known
        return known

    def _relation(self, theirs: str) -> Relation:
        relation = self.snapshot.relation(theirs)
        if relation is not Relation.UNKNOWN:
            return relation
        try:
            self.fetched(theirs)
        except UserError:
            return Relation.UNKNOWN
        return self.snapshot.relation(theirs)

    @cached_property
    def source(self) -> Path:
        """The commit's files, exported at first use."""
        target = self.folder / "source"
        target.parent.mkdir(parents=True, exist_ok=True)
        self.snapshot.export(target)
        return target

    def require(self, path: str, why: str) -> None:
        """Make sure that a file is in the commit.

        Raises:
            UserError: it is not.
        """
        if not self.snapshot.exists(path):
            raise UserError(f"{path} is not in commit {self.order.commit[:7]}: {why}")

    def notes(self) -> Notes:
        """Returns what earlier stages, and people, have left on the run, read now."""
        return self.shop.ledger.history.notes(self.run.id)

    def note(self, notes: Notes, *, visible: bool = False) -> None:
        """Leave notes for later stages, and for whoever goes on; `visible` ones go to GitHub."""
        self.lease.write(visible=visible, **notes.texts())

    @cached_property
    def pipeline(self) -> Pipeline:
        """The repository's slipway.toml at this commit, as the checkout stage found it."""
        return parse(recorded(self.notes().pipeline, "slipway.toml"))

    def hashes(self) -> dict[str, str]:
        """The SHA-256 (base64) of each function's package, as the build stage recorded it."""
        return recorded(self.notes().packages, "packages")

    def releases(self) -> tuple[Release, ...]:
        """The versions that the deploy stage published."""
        run = self.shop.ledger.history.run(self.run.id)
        return run.releases if run else ()

    def say(self, source: str, text: str) -> None:
        """Add text to the run's log."""
        self.console.say(source, text)


def recorded(note: Note | None, name: str) -> Note:
    """Returns a note that an earlier stage must have left.

    Raises:
        OurError: it has not.
    """
    if note is None:
        raise OurError(f"the run has no {name} on record; retry it")
    return note
