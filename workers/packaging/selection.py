"""Which files of the build path a function's package takes."""

import fnmatch
import functools
import re
import time
from dataclasses import dataclass

from config.limits import PATTERN_SECONDS
from config.units import duration
from workers.ledger.model.errors import UserError
from workers.ledger.model.guard import Watch

_LOOK = 0.5


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
        include, exclude = self.patterns
        if include and not any(one.matches(name) for one in include):
            return False
        return not any(one.matches(name) for one in exclude)

    # Of its own: a cache that all share would be too small for the patterns of many functions.
    @functools.cached_property
    def patterns(self) -> "tuple[tuple[Pattern, ...], tuple[Pattern, ...]]":
        """What it includes and what it excludes, compiled."""
        return tuple(map(Pattern, self.include)), tuple(map(Pattern, self.exclude))


class Pattern:
    """One path or glob."""

    def __init__(self, text: str) -> None:
        parts = [part for part in text.split("/") if part not in ("", ".")]
        if text.startswith("/") or ".." in parts or "\0" in text:
            raise UserError(
                f"the package pattern {text!r} leaves the build path; write it relative to it"
            )
        self._path = "/".join(parts)
        # Two `**` after another say what one says, and take far longer.
        pairs = zip(parts, ["", *parts], strict=False)
        plain = [part for part, before in pairs if (part, before) != ("**", "**")]
        self._globs = [_segment(part) for part in plain] if re.search(r"[*?\[]", text) else None

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


class Patience:
    """Matches the names of one build with its patterns, for so many seconds in all."""

    def __init__(self, watch: Watch | None = None, seconds: float = PATTERN_SECONDS) -> None:
        self._watch = watch
        self._seconds = seconds
        self._spent = 0.0
        self._looked = 0.0

    def matches(self, what: Selection | Pattern, name: str) -> bool:
        """Whether the name fits.

        Raises:
            UserError: the patterns take too long, or one leaves the build path.
        """
        if isinstance(what, Pattern):
            return self._fits(what, name)
        include, exclude = what.patterns
        if include and not any(self._fits(one, name) for one in include):
            return False
        return not any(self._fits(one, name) for one in exclude)

    def _fits(self, pattern: Pattern, name: str) -> bool:
        began = time.monotonic()
        found = pattern.matches(name)
        now = time.monotonic()
        self._spent += now - began
        if self._spent > self._seconds:
            raise UserError(
                f"matching the build's files with `include` and `exclude` takes longer than"
                f" {duration(self._seconds)}: write fewer and plainer patterns in slipway.toml"
            )
        self._look(now)
        return found

    def ask(self) -> None:
        """Whether the work may go on; asked as often as one likes."""
        if self._watch:
            self._look(time.monotonic())

    def _look(self, now: float) -> None:
        if self._watch and now > self._looked + _LOOK:
            self._looked = now
            self._watch.check()
