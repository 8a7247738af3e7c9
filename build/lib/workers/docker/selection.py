"""Which files of the build path a function's package takes."""

import fnmatch
import functools
import re
from dataclasses import dataclass

from workers.errors import UserError


@dataclass(frozen=True)
class Selection:
    """Paths or globs relative to the build path; an empty include takes everything.

    A path takes what lies below it too. In globs `*` stays within one folder, `**` does not.
    """

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()

    def matches(self, name: str) -> bool:
        """Whether the package takes the file of that name.

        Raises:
            UserError: a pattern leaves the build path.
        """
        if self.include and not any(pattern(one).matches(name) for one in self.include):
            return False
        return not any(pattern(one).matches(name) for one in self.exclude)


class Pattern:
    """One path or glob."""

    def __init__(self, text: str) -> None:
        parts = [part for part in text.split("/") if part not in ("", ".")]
        if text.startswith("/") or ".." in parts or "\0" in text:
            raise UserError(
                f"the package pattern {text!r} leaves the build path; write it relative to it"
            )
        self._path = "/".join(parts)
        self._globs = [_segment(part) for part in parts] if re.search(r"[*?\[]", text) else None

    def matches(self, name: str) -> bool:
        """Whether the name, or a folder that it lies in, fits."""
        path = self._path
        if not path or name == path or name.startswith(path + "/"):
            return True
        return self._globs is not None and self._glob_matches(name.split("/"))

    def _glob_matches(self, parts: list[str]) -> bool:
        # All states at once, for backtracking over several `**` could take for ever.
        globs = self._globs or []
        states = self._past_stars({0})
        for part in parts:
            following = set()
            for state in states - {len(globs)}:
                glob = globs[state]
                if glob is None:
                    following.add(state)
                elif glob.match(part):
                    following.add(state + 1)
            states = self._past_stars(following)
            if len(globs) in states:
                return True
        return False

    def _past_stars(self, states: set[int]) -> set[int]:
        globs = self._globs or []
        reached = set(states)
        for state in sorted(states):
            at = state
            while at < len(globs) and globs[at] is None:
                at += 1
                reached.add(at)
        return reached


def _segment(part: str) -> re.Pattern[str] | None:
    return None if part == "**" else re.compile(fnmatch.translate(part))


@functools.lru_cache(maxsize=1024)
def pattern(text: str) -> Pattern:
    """The pattern, compiled once.

    Raises:
        UserError: it leaves the build path.
    """
    return Pattern(text)
