"""A git tree that was built is not built again: its packages are copied to the new commit."""

import hashlib
import json
from collections.abc import Callable, Collection, Mapping
from config.together import together

from workers.aws import artifacts
from workers.aws.artifacts import Artifact, key_of
from workers.docker.presets import recipes
from workers.ledger.model.errors import OurError, UserError
from workers.ledger.model.notes import Built, Kept, Notes
from workers.ledger import keys
from workers.attempt.context import Context, recorded
from workers.attempt.packages import arguments

DAY_SECONDS = 86400
TOGETHER = 4
FORM = 1
"""Raise it when packages are made in another way, and what is on record must not serve again."""


def take(context: Context) -> str | None:
    """Take over the packages of an earlier run of the same tree; a few words, None without any."""
    pipeline = context.pipeline
    wanted = pipeline.build.reuse and context.shop.settings.reuse_days > 0
    if not (wanted and pipeline.functions) or pipeline.site:
        return None
    key = _key(context)
    text = context.shop.ledger.history.kept(keys.built(key))
    built = Built.model_validate_json(text) if text else None
    if built is None or not _usable(context, built):
        context.note(Notes(build_key=key, reused=None))
        return None
    hashes = {name: kept.sha256 for name, kept in built.packages.items()}
    context.note(Notes(build_key=key, reused=built, packages=hashes))
    count = f"{len(hashes)} package{'s' * (len(hashes) != 1)}"
    tree = recorded(context.notes().tree, "tree")[:7]
    where = f"tree {tree} was built by run {built.run} (commit {built.commit[:7]})"
    context.say("build", f"reused: {where}")
    for name, sha256 in hashes.items():
        context.say("build", f"{name}: sha256 {sha256}")
    return f"{count} reused from run {built.run[:8]}, which built the same tree"


def copy(context: Context, still_there: Callable[[], None]) -> None:
    """Give the packages that were taken over the new commit's keys; else they will be built.

    `still_there` raises before the first copy if the branch no longer has the commit.
    """
    built = context.notes().reused
    if built is None:
        return

    def one(source: tuple[str, Artifact]) -> None:
        name, artifact = source
        made = artifacts.copy(
            context.aws, artifact, name, context.order.commit, bucket=context.bucket
        )
        context.say(
            "publish",
            f"s3://{made.bucket}/{made.key}, a copy of s3://{artifact.bucket}/{artifact.key}",
        )

    try:
        # All of them are looked for before the first is copied: one tree, one build.
        sources = _sources(context, built)
        still_there()
        together(one, sources.items(), TOGETHER)
    except (OurError, UserError) as error:
        context.say("publish", f"the packages of run {built.run} can't be used: {error}")
        context.note(Notes(reused=None))


def remember(context: Context) -> None:
    """Leave word, everything being in S3, for later runs of the same tree."""
    notes = context.notes()
    if notes.build_key is None or notes.reused:
        return
    hashes = recorded(notes.packages, "packages")
    packages = {
        name: Kept(bucket=context.bucket, sha256=sha256) for name, sha256 in hashes.items()
    }
    built = Built(run=context.run.id, commit=context.order.commit, packages=packages)
    seconds = context.shop.settings.reuse_days * DAY_SECONDS
    context.lease.keep(keys.built(notes.build_key), built, seconds)


def key_of_build(
    repository_id: int, tree: str, args: Mapping[str, str], presets: Collection[str] = ()
) -> str:
    """What decides the bytes, in one SHA-256: repository, tree, arguments, and presets' text."""
    facts = (FORM, repository_id, tree, dict(args), sorted(filter(None, presets)))
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def _key(context: Context) -> str:
    pipeline = context.pipeline
    where = f"commit {context.order.commit[:7]}"
    texts = {found.text for found in recipes(pipeline, context.snapshot, where).values()}
    tree = recorded(context.notes().tree, "tree")
    return key_of_build(context.order.repository_id, tree, arguments(context), texts)


def _usable(context: Context, built: Built) -> bool:
    """Whether S3 still has the packages; a check takes none, so the record is enough for it."""
    if context.order.purpose == "check":
        return True
    try:
        _sources(context, built)
    except (OurError, UserError) as error:
        context.say("build", f"built again: the packages of run {built.run} can't be used: {error}")
        return False
    return True


def _sources(context: Context, built: Built) -> dict[str, Artifact]:
    """The packages as S3 has them now.

    Raises:
        OurError: one is gone, is not what was built, or may not be read with this environment's
            role.
    """

    def find(name: str) -> Artifact:
        kept = built.packages[name]
        found = artifacts.find(context.aws, kept.bucket, name, built.commit)
        if found is None or found.sha256 != kept.sha256:
            what = "is gone" if found is None else "is not what was built"
            raise OurError(f"s3://{kept.bucket}/{key_of(name, built.commit)} {what}")
        return found

    found = together(find, built.packages, TOGETHER)
    return dict(zip(built.packages, found, strict=True))
