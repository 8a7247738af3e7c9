"""Reads a tar stream into a tree of names; what becomes of the bytes is the subclass's matter."""

from abc import ABC, abstractmethod

from config.limits import OUTPUT_BYTES
from config.units import size
from workers.ledger.model.errors import UserError
from workers.packaging.deflate import Blob
from workers.packaging.tarstream import DIRECTORY, FILE, HARDLINK, SPECIAL, Member, TarStream
from workers.packaging.tree import Tree


class TreeReader(ABC):
    """One pass over the tar; `root` is the path in the image that it was taken from."""

    def __init__(self, tar: TarStream, root: str) -> None:
        self._tar = tar
        self._tree = Tree(root)
        self._prefix: str | None = None

    @property
    def most(self) -> int:
        """Bytes of the stream after which reading ends."""
        return OUTPUT_BYTES

    @abstractmethod
    def store(self, name: str, member: Member) -> Blob:
        """Take the bytes of one file, which is the stream's current member."""

    def skips(self, name: str) -> bool:
        """Whether a name is left out, as if it were not in the tar."""
        del name
        return False

    def read(self) -> Tree:
        """The whole tree, unless it is hopelessly large.

        Raises:
            UserError: a name leaves the path or comes twice, or the tree is larger than 16 GB.
        """
        for member in self._tar:
            if self._prefix is None:
                self._prefix = _prefix(member)
            name = self._relative(member.name)
            if not name:
                self._check_is_folder(member)
                continue
            # By the header: what it announces need not be read to be known as too much.
            if self._tar.position + member.size > OUTPUT_BYTES:
                raise UserError(
                    f"the build path holds more than {size(OUTPUT_BYTES)}; set [build] path to a"
                    " folder"
                )
            self._add(name, member)
            if self._tar.position + self._tar.left > self.most:
                break
        return self._tree

    @staticmethod
    def _check_is_folder(member: Member) -> None:
        if member.kind != DIRECTORY:
            raise UserError(f"the build output holds {member.name!r}, which is no file name")

    def _add(self, name: str, member: Member) -> None:
        tree = self._tree
        if member.kind == DIRECTORY:
            tree.add_folder(name)
            return
        if self.skips(name):
            return
        tree.check_new(name)
        if member.kind == FILE:
            tree.files[name] = self.store(name, member)
        elif member.kind == HARDLINK:
            self._add_hardlink(name, member)
        elif member.kind in SPECIAL:
            tree.special[name] = SPECIAL[member.kind]
        else:
            tree.links[name] = member.link

    def _add_hardlink(self, name: str, member: Member) -> None:
        target = self._relative(member.link)
        if target in self._tree.files:
            self._tree.files[name] = self._tree.files[target]
        elif target in self._tree.links:
            self._tree.links[name] = self._tree.links[target]
        else:
            raise UserError(f"{name!r} is a hard link to {target!r}, which is not in the tree")

    def _relative(self, name: str) -> str:
        """The name below the build path; whatever could leave it is refused."""
        parts = [part for part in name.split("/") if part not in ("", ".")]
        if name.startswith("/") or ".." in parts:
            raise UserError(f"the build output holds {name!r}, which leaves the build path")
        if self._prefix:
            if not parts or parts[0] != self._prefix:
                raise UserError(f"the build output holds {name!r}, which leaves the build path")
            parts = parts[1:]
        return "/".join(parts)


def _prefix(first: Member) -> str:
    """The folder's own name, with which the engine prefixes all that is in it."""
    name = first.name.rstrip("/")
    return "" if first.kind != DIRECTORY or name in (".", "") or "/" in name else name
