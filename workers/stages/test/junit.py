"""JUnit's XML summed up: how many tests passed, failed and were skipped, and which failed.

There is no one schema; this reads what pytest, Jest, Mocha, Go's converters and Surefire write:
`testcase` elements, with `failure`, `error` or `skipped` in those that did not pass.
"""

from collections.abc import Iterable
from xml.parsers import expat

from config.masker import cut
from workers.ledger.model.masked import Mask
from workers.ledger.model.run import Tests

MOST_BYTES = 10 << 20
MOST_NAMES = 50
_LONGEST_NAME = 200
_ROOTS = ("testsuites", "testsuite")


class MalformedError(ValueError):
    """The file is not JUnit's XML; the text says why."""


def summarise(files: Iterable[bytes], mask: Mask = str) -> Tests:
    """All files summed up; `mask` hides the secrets in names.

    Raises:
        MalformedError: one of them can't be read.
    """
    total = Tests()
    for data in files:
        found = _Reader(mask).read(data)
        total = Tests(
            passed=total.passed + found.passed,
            failed=total.failed + found.failed,
            skipped=total.skipped + found.skipped,
            failing=(*total.failing, *found.failing)[:MOST_NAMES],
        )
    return total


class _Reader:
    """Counts the test cases of one file as the parser meets them; no tree is made."""

    def __init__(self, mask: Mask) -> None:
        self._mask = mask
        self._depth = 0
        self._name = ""
        self._verdict: str | None = None
        self._counts = {"passed": 0, "failed": 0, "skipped": 0}
        self._failing: list[str] = []

    def read(self, data: bytes) -> Tests:
        """The file summed up."""
        if len(data) > MOST_BYTES:
            raise MalformedError(f"it has more than {MOST_BYTES >> 20} MB")
        parser = expat.ParserCreate()
        parser.StartDoctypeDeclHandler = self._doctype
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        try:
            parser.Parse(data, True)  # noqa: FBT003 - expat takes no keyword
        except (expat.ExpatError, LookupError, UnicodeError) as error:
            raise MalformedError(str(error)) from None
        return Tests(**self._counts, failing=tuple(self._failing))

    @staticmethod
    def _doctype(*_: object) -> None:
        # Without one there are no entities: none that multiply, none that read files.
        raise MalformedError("it has a document type, which is not read")

    def _start(self, element: str, attributes: dict[str, str]) -> None:
        if self._depth == 0 and element not in _ROOTS:
            raise MalformedError(f"it begins with <{cut(element, 50)}>, not with <testsuites>")
        self._depth += 1
        if element == "testcase":
            self._name = self._shown(attributes)
            self._verdict = "passed"
        elif element in ("failure", "error") and self._verdict:
            self._verdict = "failed"
        elif element == "skipped" and self._verdict == "passed":
            self._verdict = "skipped"

    def _end(self, element: str) -> None:
        self._depth -= 1
        if element == "testcase" and self._verdict:
            self._counts[self._verdict] += 1
            if self._verdict == "failed" and len(self._failing) < MOST_NAMES:
                self._failing.append(self._name)
            self._verdict = None

    def _shown(self, attributes: dict[str, str]) -> str:
        parts = [attributes.get(part, "").strip() for part in ("classname", "name")]
        name = ".".join(part for part in parts if part) or "a test without a name"
        clean = "".join(letter if letter.isprintable() else " " for letter in self._mask(name))
        return clean if len(clean) <= _LONGEST_NAME else f"{clean[:_LONGEST_NAME]}…"
