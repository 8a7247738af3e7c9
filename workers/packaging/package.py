"""Turns a build's output, a tar stream, into one deterministic zip for each distinct selection.

The tar is never unpacked: a file's bytes go from the stream through the compressor into a spool
file without a name, so nothing in the tar can name a path on this machine.
"""

import base64
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import BinaryIO, cast

from config.limits import PACKAGES_BYTES
from config.units import size as shown
from workers.ledger.model.errors import UserError
from workers.ledger.model.guard import Watch
from workers.packaging import deterministic_zip
from workers.packaging.deflate import Blob, Deflater, Spool
from workers.packaging.selection import Patience, Pattern, Selection
from workers.packaging.tarstream import Member, TarStream
from workers.packaging.tree import Tree
from workers.packaging.tree_reader import TreeReader

LARGEST = 262_144_000
"""Bytes that a function's files may have unpacked: Lambda's 250 MB, layers included."""

_ADVICE_SECONDS = 2.0
_MOST_READ = 4 * LARGEST
_MOST_KEPT = 1 << 30


@dataclass(frozen=True)
class Package:
    """A zip on this machine: SHA-256 in base64 as AWS gives it, sizes in bytes.

    `unmatched` holds the includes that took nothing, which may be mistakes in writing, and
    `excludes` the excludes, each with whether there was nothing that it could leave out.
    """

    path: Path
    sha256: str
    size: int
    unzipped_size: int
    files: int
    unmatched: tuple[str, ...] = ()
    excludes: tuple[tuple[str, bool], ...] = ()


def idle(packages: Iterable[Package]) -> list[str]:
    """The excludes that left out nothing of any package, which may be mistakes in writing."""
    found: dict[str, bool] = {}
    for pattern, none in (one for package in packages for one in package.excludes):
        found[pattern] = found.get(pattern, True) and none
    return [pattern for pattern, none in found.items() if none]


Judge = Callable[[str, Mapping[str, Blob], Callable[[Blob], bytes]], None]
"""Takes a function, its files, and what gives the first bytes of one."""


def _good(function: str, files: Mapping[str, Blob], head: Callable[[Blob], bytes]) -> None:
    """Any package is good."""
    del function, files, head


def package(  # noqa: PLR0913 - what goes in, and how it is looked at
    tar: Iterator[bytes],
    selections: Mapping[str, Selection],
    folder: Path,
    *,
    root: str = "/",
    watch: Watch | None = None,
    judge: Judge = _good,
) -> dict[str, Package]:
    """Make each function's package; functions with the same selection share one file.

    `tar` holds the build path as `docker cp` gives it, `root` is that path in the image,
    `folder` gets the zips, and `judge` may refuse what a function's package holds.

    Raises:
        UserError: the output can't be a package; the text names the file.
        PassingError: the stream broke off.
        OurError: the stream is not a tar that an engine writes.
    """
    names: dict[Selection, str] = {}
    patience = Patience(watch)
    for function, selection in selections.items():
        names.setdefault(selection, function)
    with tempfile.TemporaryFile(dir=folder) as file:
        spool = Spool(cast("BinaryIO", file))
        with Deflater(spool) as deflater:
            tree = _Reader(TarStream(tar), names, deflater, root, patience).read()
            chosen = {one: _choose(tree, one, name, patience) for one, name in names.items()}
            _pack_kept(chosen.values(), deflater)
            deflater.finish()
        for function, selection in selections.items():
            judge(function, chosen[selection], spool.head)
        _check_room(chosen.values())
        made = {
            one: replace(
                _write(files, one, folder, spool, patience), excludes=_excludes(tree, one, watch)
            )
            for one, files in chosen.items()
        }
    return {function: made[selection] for function, selection in selections.items()}


class _Reader(TreeReader):
    """Reads the tar into a tree, compressing at once what some function wants by its name."""

    def __init__(
        self,
        tar: TarStream,
        names: Mapping[Selection, str],
        deflater: Deflater,
        root: str,
        patience: Patience,
    ) -> None:
        super().__init__(tar, root)
        self._names = names
        self._wanted = dict.fromkeys(names, 0)  # bytes
        self._deflater = deflater
        self._patience = patience
        self._kept = 0
        self._too_large = False

    @property
    def most(self) -> int:
        """Less than usual once a package is known to be too large."""
        return _MOST_READ if self._too_large else super().most

    def skips(self, name: str) -> bool:
        """Whether it is the bytecode that Python keeps of a source.

        It holds its source's time, so it differs from build to build and no longer fits the source
        once times are normalised: Python would compile anew anyway.
        """
        return "__pycache__" in name.split("/")

    def store(self, name: str, member: Member) -> Blob:
        """Compress what is wanted, keep what a link may want yet."""
        blob = Blob(member.size, member.executable)
        wanted = [one for one in self._wanted if self._patience.matches(one, name)]
        for one in wanted:
            self._wanted[one] += member.size
            if member.size > LARGEST:
                raise UserError(_too_large(self._names[one], {name: blob}, member.size))
            self._too_large |= self._wanted[one] > LARGEST
        if self._too_large:
            return blob
        if wanted:
            self._deflater.add(blob, self._tar.read)
        elif self._kept + member.size <= _MOST_KEPT:
            # A link may want it yet, such as a workspace's in node_modules.
            self._kept += member.size
            self._deflater.keep(blob, self._tar.read)
        return blob


def _excludes(
    tree: Tree, selection: Selection, watch: Watch | None
) -> tuple[tuple[str, bool], ...]:
    """The excludes with whether they fit nothing; none if that takes long, for it is advice."""
    names = (*tree.files, *tree.links)
    patience = Patience(watch, _ADVICE_SECONDS)
    try:
        return tuple(
            (one, not any(patience.matches(pattern, name) for name in names))
            for one, pattern in ((one, Pattern(one)) for one in selection.exclude)
        )
    except UserError:
        return ()


def _choose(tree: Tree, selection: Selection, function: str, patience: Patience) -> dict[str, Blob]:
    takes = partial(patience.matches, selection)
    files = tree.choose(takes, patience.ask, keeps_links=True)
    # Beside its source bytecode is as useless; alone it is the module itself.
    compiled = [one for one in files if one.endswith(".pyc")]
    for name in [one for one in compiled if one[:-1] in files or one[:-1] in tree.files]:
        del files[name]
    if not files:
        what = f"include = {list(selection.include)}" if selection.include else "the build path"
        raise UserError(
            f"the package of {function} would be empty: {what} holds no file; mend [package] in"
            " slipway.toml or the Dockerfile"
        )
    for name in files:
        if not name.isascii() and not _is_utf8(name):
            raise UserError(f"{name!r} is not UTF-8; a zip can't hold such a name")
    total = sum(blob.size for blob in files.values())
    if total > LARGEST:
        raise UserError(_too_large(function, files, total))
    return files


def _is_utf8(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _too_large(function: str, files: Mapping[str, Blob], total: int) -> str:
    biggest = sorted(files.items(), key=lambda item: (-item[1].size, item[0]))[:10]
    lines = "".join(f"\n  {blob.size / 1e6:8.1f} MB  {name!r}" for name, blob in biggest)
    return (
        f"the package of {function} has at least {total / 1e6:.1f} MB of files; Lambda takes"
        f" {LARGEST / 1e6:.1f} MB. The biggest:{lines}"
    )


def _pack_kept(chosen: Iterable[Mapping[str, Blob]], deflater: Deflater) -> None:
    """Compress what turned out to be wanted by way of a link."""
    for name, blob in ((name, blob) for files in chosen for name, blob in files.items()):
        if blob.packed:
            continue
        if blob.link:
            deflater.add_link(blob)
            continue
        if blob.size and not blob.parts:
            raise UserError(f"{name!r} is behind a link into a large folder; include that folder")
        deflater.add_kept(blob)


def _check_room(chosen: Iterable[Mapping[str, Blob]]) -> None:
    total = sum(blob.packed_size for files in chosen for blob in files.values())
    if total > PACKAGES_BYTES:
        raise UserError(
            f"the packages have {shown(total)} together, and {shown(PACKAGES_BYTES)} is what one"
            " image may give: let the functions' `include` take less"
        )


def _write(
    files: Mapping[str, Blob],
    selection: Selection,
    folder: Path,
    spool: Spool,
    patience: Patience,
) -> Package:
    unfinished = folder / "unfinished.zip"
    written = deterministic_zip.write(unfinished, files, spool)
    path = unfinished.rename(folder / f"{base64.b64decode(written.sha256).hex()}.zip")
    unmatched = tuple(
        one
        for one, pattern in ((one, Pattern(one)) for one in selection.include)
        if not any(patience.matches(pattern, name) for name in files)
    )
    size = sum(blob.size for blob in files.values())
    return Package(path, written.sha256, written.size, size, len(files), unmatched)
