"""The tree that a tar describes, kept in memory as names; links are resolved inside it."""

import bisect
import posixpath
from collections import deque
from collections.abc import Callable, Iterator

from config import limits
from config.masker import cut
from workers.ledger.model.errors import UserError
from workers.packaging.deflate import Blob

_MOST_LINKS = 40  # in one path, as Linux has it (path_resolution(7))

Takes = Callable[[str], bool]
"""Says whether a package takes the file of a name."""


def _go_on() -> None:
    """Nobody asks for an end."""


class Tree:
    """Files, folders, links and special files by their path relative to the build path.

    `root` is the build path in the image, so that absolute links into it can be followed.
    """

    def __init__(self, root: str = "/") -> None:
        self._root = [part for part in root.split("/") if part]
        self.files: dict[str, Blob] = {}
        self.folders: set[str] = {""}
        self.links: dict[str, str] = {}
        self.special: dict[str, str] = {}
        self._sorted: list[str] = []
        self._sorted_links: list[str] = []
        self._steps_left = 0
        self._walk_left = limits.LINK_STEPS
        # What each link leads to, or why nowhere: many packages may ask.
        self._led: dict[str, str | UserError] = {}
        self._ask: Callable[[], None] = _go_on
        self._letters = 0
        self._keeps_links = False

    def check_new(self, name: str) -> None:
        """See that the name may be added.

        Raises:
            UserError: it is there already, lies in something that is no folder, or is one too many.
        """
        if name in self.files or name in self.links or name in self.special or name in self.folders:
            raise UserError(f"the build output holds {name!r} twice")
        if len(self.files) + len(self.links) + len(self.special) >= limits.OUTPUT_FILES:
            raise UserError(f"the build output holds more than {limits.OUTPUT_FILES} files")
        self._count(name)
        self.add_folder(posixpath.dirname(name))

    def add_folder(self, name: str) -> None:
        """Note a folder and those that it lies in.

        Raises:
            UserError: one of them is there already as something else.
        """
        while name not in self.folders:
            if name in self.files or name in self.links or name in self.special:
                raise UserError(f"the build output holds {name!r} both as a folder and as a file")
            if len(self.folders) > limits.OUTPUT_FILES:
                raise UserError(f"the build output holds more than {limits.OUTPUT_FILES} folders")
            self._count(name)
            self.folders.add(name)
            name = posixpath.dirname(name)

    def _count(self, name: str) -> None:
        self._letters += len(name)
        if self._letters > limits.OUTPUT_NAMES:
            raise UserError(
                f"the names in the build output have more than {limits.OUTPUT_NAMES >> 20} MB"
                f" together ({cut(name, 100)!r} is where it was too much)"
            )

    def choose(
        self, takes: Takes, ask: Callable[[], None] = _go_on, *, keeps_links: bool = False
    ) -> dict[str, Blob]:
        """The files that one package takes, by name; links are copies of what they point to.

        `ask` is called for each link, and may raise to stop it. A link to a folder that holds it,
        which no copying ends, stays a link if the package may have links and takes the folder too.

        Raises:
            UserError: a chosen name is a device, a pipe or a link that can't be resolved here.
        """
        for name, what in self.special.items():
            if takes(name):
                raise UserError(f"{name!r} is {what}; a package can hold only files")
        chosen = {name: blob for name, blob in self.files.items() if takes(name)}
        self._sorted, self._sorted_links = sorted(self.files), sorted(self.links)
        self._steps_left = limits.OUTPUT_FILES
        self._ask = ask
        self._keeps_links = keeps_links
        for link in self._sorted_links:
            chosen.update(self._expand(link, takes))
        return chosen

    def _kept(self, name: str, target: str, trail: tuple[str, ...], takes: Takes) -> Blob | None:
        """The link itself, where copying would go round in a circle.

        Raises:
            UserError: it does, and the package has no links or not the folder.
        """
        if target in self.files or all(
            target and not link.startswith(target + "/") for link in trail
        ):
            return None
        files = _below(self._sorted, target)
        self._steps_left -= len(files)
        if not self._keeps_links or not any(map(takes, files)):
            if takes(name):
                raise UserError(
                    f"the link {trail[-1]!r} leads to a folder that holds it; exclude it in"
                    " [package]"
                )
            return Blob(0, executable=False)
        where = posixpath.relpath(target or ".", posixpath.dirname(name) or ".")
        return Blob(len(where), executable=False, link=where)

    def _expand(self, link: str, takes: Takes) -> Iterator[tuple[str, Blob]]:
        """The files that one link stands for and that the package takes."""
        # A name in the package, and the real links that led there.
        pending: list[tuple[str, tuple[str, ...]]] = [(link, (link,))]
        while pending:
            name, trail = pending.pop()
            target = self._target(name, trail, takes)
            if target is None:
                continue
            if kept := self._kept(name, target, trail, takes):
                if kept.link and takes(name):
                    yield name, kept
                continue
            if len(trail) > limits.LINK_TRAIL:
                raise UserError(f"{link!r} leads through more than {limits.LINK_TRAIL} links")
            files = [target] if target in self.files else _below(self._sorted, target)
            links = _below(self._sorted_links, target)
            self._steps_left -= 1 + len(files) + len(links)
            if self._steps_left < 0:
                raise UserError(f"with its links followed, {link!r} gives too many files")
            copies = ((name + file[len(target) :], file) for file in files)
            yield from ((copy, self.files[file]) for copy, file in copies if takes(copy))
            pending += ((name + below[len(target) :], (*trail, below)) for below in links)

    def _target(self, name: str, trail: tuple[str, ...], takes: Takes) -> str | None:
        """What the last link of the trail leads to; None if that is unknown and unwanted."""
        try:
            target = self._leads_to(trail[-1])
        except UserError:
            if takes(name):
                raise
            return None
        return target

    def _leads_to(self, link: str) -> str:
        self._ask()
        found = self._led.get(link)
        if found is None:
            try:
                found = self._resolve(link)
            except UserError as error:
                found = error
            self._led[link] = found
        if isinstance(found, UserError):
            raise UserError(str(found))
        return found

    def _resolve(self, link: str) -> str:
        """The real file or folder that a link leads to."""
        here = link.split("/")[:-1]
        todo = self._steps(link, here, self.links[link])
        hops = 1
        while todo:
            self._walk_left -= 1 + len(here)
            if self._walk_left < 0:
                raise UserError(f"{link!r} is one link too many: following all takes too long")
            step = todo.popleft()
            if step == "..":
                if not here:
                    raise self._lost(link, "leads out of the build path")
                here.pop()
                continue
            here.append(step)
            at = "/".join(here)
            if at in self.links:
                hops += 1
                if hops > _MOST_LINKS:
                    raise self._lost(link, "leads round in a circle")
                here.pop()
                todo = self._steps(link, here, self.links[at]) + todo
            elif at not in self.folders and at not in self.files:
                raise self._lost(link, self.special.get(at, "leads nowhere"))
            elif at in self.files and todo:
                raise self._lost(link, "leads nowhere")
        return "/".join(here)

    def _steps(self, link: str, here: list[str], target: str) -> deque[str]:
        parts = [part for part in target.split("/") if part not in ("", ".")]
        if target.startswith("/"):
            if parts[: len(self._root)] != self._root:
                raise self._lost(link, "leads out of the build path")
            here.clear()
            parts = parts[len(self._root) :]
        return deque(parts)

    def _lost(self, link: str, why: str) -> UserError:
        return UserError(
            f"the link {link!r} -> {self.links[link]!r} {why}; copy what it points to into the"
            " build path, or exclude it in [package]"
        )


def _below(names: list[str], folder: str) -> list[str]:
    """The sorted names that lie in a folder."""
    if not folder:
        return names
    start = bisect.bisect_left(names, folder + "/")
    return names[start : bisect.bisect_left(names, folder + "0", lo=start)]  # "0" follows "/"
