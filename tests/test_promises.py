"""The table of promises names tests that exist, and as many cases as they have."""

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[1]
ROW = re.compile(r"^\| ([^|]*)\| \*?\[(\w+)\]\(\.\./(tests/[\w/]+\.py)\)\*? \| [^|]+ \| (\d+) \|$")
PROMISES = range(1, 15)


def rows() -> list[tuple[str, str, int]]:
    """The table's rows: promise, the test's node, the number of cases."""
    text = (ROOT / "docs" / "promises.md").read_text()
    found = [ROW.match(line) for line in text.splitlines() if "](../tests/" in line]
    table = [match for match in found if match]
    assert len(table) == text.count("](../tests/") - 1, "a row is not read"
    return [(m[1].strip(), f"{m[3]}::{m[2]}", int(m[4])) for m in table]


def counted(nodes: set[str]) -> Counter[str]:
    """How many cases pytest finds for each of these tests."""
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run([*command, *nodes], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return Counter(line.partition("[")[0] for line in done.stdout.splitlines() if "::" in line)


def test_every_promise_has_a_test_that_breaks_it():
    """No promise is left out; each stands at the beginning of its rows."""
    named = {int(number) for head, _, _ in rows() for number in re.findall(r"\b\d+\b", head)}
    assert named >= set(PROMISES)


def test_the_named_tests_exist_and_have_as_many_cases():
    """Stories and rounds count by the number that their own test sets."""
    from tests.model.test_machine import LONG, QUICK
    from tests.model.test_two_branches import MANY_ROUNDS, ROUNDS

    own = {
        "tests/model/test_machine.py::test_promises_hold_in_random_stories": QUICK.max_examples,
        "tests/model/test_machine.py::test_promises_hold_in_many_long_stories": LONG.max_examples,
        "tests/model/test_two_branches.py::"
        "test_two_branches_at_once_never_get_each_others_code": ROUNDS,
        "tests/model/test_two_branches.py::test_two_branches_at_once_200_times": MANY_ROUNDS,
    }
    table = rows()
    found = counted({node for _, node, _ in table})
    wrong = {n: (cases, real) for _, n, cases in table if (real := own.get(n, found[n])) != cases}
    assert not wrong, f"cases in the table, and real ones: {wrong}"
