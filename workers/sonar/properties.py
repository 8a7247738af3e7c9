"""A repository's sonar-project.properties: what of it the scanner gets to see.

The scanner takes its server, its token, the Java and Node.js that it runs and much else from such
a file, and fills in `${env.NAME}` from its environment, where the token is. So nothing of the
repository's file is passed on but what says which files are what. What the file may hold is in
https://docs.sonarsource.com/sonarqube-server/analyzing-source-code/analysis-parameters
"""

import re
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath

from workers.ledger.model.errors import UserError

FILE = "sonar-project.properties"
REPORTS = re.compile(r"sonar(\.[a-z0-9]+)*\.[a-zA-Z]*[rR]eports?Paths?")
"""Where reports lie that other tools have made: coverage, tests, issues."""

_PATHS = frozenset(
    {"sonar.sources", "sonar.tests"}
    | {f"sonar.java{test}.{what}" for test in ("", ".test") for what in ("binaries", "libraries")}
)
_WORDS = frozenset(
    {
        "sonar.inclusions",
        "sonar.exclusions",
        "sonar.test.inclusions",
        "sonar.test.exclusions",
        "sonar.coverage.exclusions",
        "sonar.cpd.exclusions",
        "sonar.projectName",
        "sonar.projectDescription",
        "sonar.sourceEncoding",
        "sonar.python.version",
        "sonar.java.source",
    }
)
_IGNORED_ISSUES = re.compile(r"sonar\.issue\.(ignore|enforce)\.[\w.]+")
_SUFFIXES = re.compile(r"sonar\.[a-z]+\.file\.suffixes")
_LINE = re.compile(r"((?:\\.|[^\\:=\s])+)\s*[:=]?\s*(.*)", re.DOTALL)
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_NAMED = {"t": "\t", "n": "\n", "r": "\r", "f": "\f"}


def parse(text: str) -> dict[str, str]:
    """The properties of a file, as java.util.Properties reads them."""
    found = {}
    for line in _logical_lines(text):
        if match := _LINE.fullmatch(line):
            found[_plain(match[1])] = _plain(match[2]).strip()
    return found


def _logical_lines(text: str) -> Iterable[str]:
    line: list[str] = []
    for part in re.split(r"\r\n|\r|\n", text):
        part = part.lstrip(" \t\f")  # noqa: PLW2901 - the same part, without what Java leaves out
        if not line and (not part or part[0] in "#!"):
            continue
        if (len(part) - len(part.rstrip("\\"))) % 2:
            line.append(part[:-1])
            continue
        yield "".join([*line, part])
        line = []
    if line:
        yield "".join(line)


def _plain(text: str) -> str:
    def meant(match: re.Match[str]) -> str:
        code = match[1]
        return chr(int(code[1:], 16)) if len(code) > 1 else _NAMED.get(code, code)

    # Java writes what needs two codes as two.
    return _ESCAPE.sub(meant, text).encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def render(properties: Mapping[str, str]) -> str:
    """A file that Java reads as these properties, in any encoding that begins with ASCII."""
    return "".join(f"{_escaped(n)}={_escaped(v)}\n" for n, v in sorted(properties.items()))


def _escaped(text: str) -> str:
    def code(match: re.Match[str]) -> str:
        units = match[0].encode("utf-16-be", "surrogatepass")
        return "".join(f"\\u{units[i : i + 2].hex()}" for i in range(0, len(units), 2))

    return re.sub(r"[^!-~]|[\\:=#!]", code, text)


def admitted(properties: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """What of a repository's properties the scanner may see, and the names of the others.

    Raises:
        UserError: a value asks for another property's or a variable's, or leaves the repository.
    """
    taken, left_out = {}, []
    for name, value in properties.items():
        paths = name in _PATHS or REPORTS.fullmatch(name)
        words = name in _WORDS or _IGNORED_ISSUES.fullmatch(name) or _SUFFIXES.fullmatch(name)
        if not (paths or words):
            left_out.append(name)
            continue
        if "${" in value:
            raise UserError(f"{FILE}: {name} holds ${{…}}, which is not filled in: write it out")
        if paths:
            _inside(name, value)
        taken[name] = value
    return taken, sorted(left_out)


def _inside(name: str, value: str) -> None:
    for part in value.split(","):
        path = PurePosixPath(part.strip().strip('"').replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts or re.match(r"[A-Za-z]+:", str(path)):
            raise UserError(f"{FILE}: {name} = {part.strip()!r} leaves the repository")
