"""Which lines of index.py the unit tests reach, by the standard library's `trace`.

`python tools/coverage.py [FOLDER]` prints the share, fails below 80 %, and writes an HTML report.
"""

import html
import sys
import trace
import types
import unittest
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[1] / "index.py"
LEAST = 80
PAGE = (
    "<!doctype html><html lang=en><meta charset=utf-8><title>{title}</title>"
    "<style>body{{font:16px/1.5 system-ui;margin:2rem}}pre{{font:14px/1.5 ui-monospace,monospace}}"
    "i{{font-style:normal;display:inline-block;width:100%}}.hit{{background:#e6ffec}}"
    ".miss{{background:#ffebe9}}</style><h1>{title}</h1><pre>{lines}</pre></html>\n"
)


def run_tests():
    """Whether the tests passed."""
    sys.path.insert(0, str(SOURCE.parent))
    # `trace` sees only what is executed after it has started: the import is part of it.
    suite = unittest.defaultTestLoader.discover(str(SOURCE.parent))
    return unittest.TextTestRunner(stream=sys.stderr).run(suite).wasSuccessful()


def measure():
    """Whether the tests passed, and the lines of the source that can run and that did."""
    tracer = trace.Trace(count=1, trace=0)
    passed = tracer.runfunc(run_tests)
    counts = tracer.results().counts
    hit = {line for (name, line), n in counts.items() if n and Path(name).resolve() == SOURCE}
    return passed, executable(compile(SOURCE.read_text(encoding="utf-8"), SOURCE, "exec")), hit


def executable(code):
    """The lines of some code, and of the functions and classes in it, that can run."""
    lines = {line for _, _, line in code.co_lines() if line}
    inner = (part for part in code.co_consts if isinstance(part, types.CodeType))
    return lines.union(*map(executable, inner))


def page(title, possible, hit):
    """The source as HTML, its lines coloured."""
    lines = []
    for number, line in enumerate(SOURCE.read_text(encoding="utf-8").splitlines(), start=1):
        kind = "hit" if number in hit else "miss" if number in possible else ""
        lines.append(f'<i class="{kind}">{number:4} {html.escape(line)}</i>')
    return PAGE.format(title=html.escape(title), lines="\n".join(lines))


def main(folder):
    """Measure, report, judge."""
    passed, possible, hit = measure()
    share = 100 * len(hit & possible) / len(possible)
    title = f"{SOURCE.name}: {share:.0f} % of {len(possible)} lines"
    sys.stdout.write(f"{title}\n")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "index.html").write_text(page(title, possible, hit), encoding="utf-8")
    if not passed or share < LEAST:
        sys.stdout.write(f"failed: the tests must pass and reach {LEAST} %\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else "coverage")))
