"""Counts of the house, for docs/architecture.md: `python -m scripts.count_house [CHECKOUT]`.

The walk of an order is counted apart, by `tests/hostile/test_walk.py`, which sends one through.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FrameType

ROOT = Path(__file__).resolve().parents[1]
FLOORS = ("service", "workers", "config")
NEAR = 40
"""Frames between a caller of ours and the next one, libraries between them included."""


def main(root: Path) -> None:
    """Print the counts of a checkout."""
    modules = [path for floor in FLOORS for path in sorted((root / floor).rglob("*.py"))]
    sources = [path.read_text() for path in modules]
    scripts = [path.read_text() for floor in FLOORS for path in (root / floor).rglob("*.lua")]
    for name in ("workers", "service"):
        print(f"files in {name}/ itself", len(list((root / name).glob("*.py"))))
    print("imports of service into workers but for the ledger", len(list(_upstairs(root))))
    print("lines", sum(len(text.splitlines()) for text in sources + scripts))
    print("Any", sum(_named(text, "Any") for text in sources))
    print("dict[str, Any]", sum(text.count("dict[str, Any]") for text in sources))


def _upstairs(root: Path) -> Iterator[str]:
    for path in (root / "service").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module:
                yield from (
                    module
                    for module in {f"{node.module}.{alias.name}" for alias in node.names}
                    if module.startswith("workers.") and not module.startswith("workers.ledger")
                )


def _named(text: str, name: str) -> int:
    nodes = ast.walk(ast.parse(text))
    return sum(isinstance(node, ast.Name) and node.id == name for node in nodes)


class Walk:
    """What the calls of one order touch; hand `seen` to sys.setprofile and threading.setprofile."""

    def __init__(self, root: Path = ROOT) -> None:
        self._root = f"{root}/"
        self.files: set[str] = set()
        self.changes: set[tuple[CodeType, CodeType]] = set()

    def seen(self, frame: FrameType, event: str, _argument: object) -> None:
        """Note one call, if it is to a function of ours."""
        if event != "call" or (file := self._file(frame)) is None:
            return
        self.files.add(file)
        caller, near = frame.f_back, NEAR
        while caller and near and self._file(caller) is None:
            caller, near = caller.f_back, near - 1
        if caller and near and room(str(self._file(caller))) != room(file):
            self.changes.add((caller.f_code, frame.f_code))

    def _file(self, frame: FrameType) -> str | None:
        name = frame.f_code.co_filename
        file = name.removeprefix(self._root)
        return file if file != name and file.startswith(FLOORS) else None

    @property
    def rooms(self) -> set[str]:
        """The rooms that were entered."""
        return {room(file) for file in self.files}

    @property
    def loose(self) -> list[str]:
        """Those of them that are files without a folder."""
        return sorted(one for one in self.rooms if one.endswith(".py"))

    def __str__(self) -> str:
        """Return the counts as docs/architecture.md has them."""
        return (
            f"{len(self.rooms)} rooms, {len(self.loose)} of them loose files "
            f"({', '.join(self.loose)}); "
            f"{len(self.files)} files, {len(self.changes)} changes of room"
        )


def room(file: str) -> str:
    """Return the room of a file: the folder below its floor, or itself where it lies loose."""
    floor, _, rest = file.partition("/")
    name = rest.partition("/")[0]
    return f"{floor}/{name}"


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve() if sys.argv[1:] else ROOT)
