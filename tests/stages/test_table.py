"""The table of stages: whole, bound to work, and the only list of stage names that there is."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from workers import stages
from workers.ledger.model.stages import BY_NAME
from workers.ledger.model.stages import STAGES as MODEL
from workers.report.statuses import OF_A_CHECK
from workers.stages.deploy.republish import DEPLOYING

ROOT = Path(__file__).parents[2]
TABLES = {"workers/ledger/model/stages.py", "workers/stages/__init__.py"}
COMMANDS = {"service/cli/__init__.py"}
"""The command line has an `approve` and a `build` of its own."""
OTHERS = {stage.queue for stage in MODEL} | {stage.status for stage in MODEL}
"""Queues and statuses bear names of stages, too."""


def lists(tree: ast.AST) -> Iterator[set[str]]:
    """Returns the texts of each list, set, dict or call that has several."""
    for node in ast.walk(tree):
        if isinstance(node, ast.List | ast.Set | ast.Tuple):
            found = node.elts
        elif isinstance(node, ast.Dict):
            found = [key for key in node.keys if key]
        else:
            continue
        yield {str(one.value) for one in found if isinstance(one, ast.Constant)}


def elsewhere(text: str) -> bool:
    """Whether a module keeps stages in a list of its own; queues and statuses are none."""
    named = ({name for name in one if name in BY_NAME} for one in lists(ast.parse(text)))
    return any(len(names) > 1 and not names <= OTHERS for names in named)


def test_the_work_of_a_stage_is_in_the_module_of_its_name():
    """Each name leads to its own work, in the order of the model."""
    modules = [work.__module__ for _, work in stages.STAGES]
    assert modules == [f"workers.stages.{stage.name}" for stage in MODEL]
    assert list(stages.WORK) == [stage.name for stage in MODEL]


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param(stages.STAGES[:-1], id="one is missing"),
        pytest.param(stages.STAGES[::-1], id="another order"),
        pytest.param((*stages.STAGES, stages.STAGES[0]), id="one is there twice"),
        pytest.param(
            ((MODEL[0]._replace(name="chekout"), stages.STAGES[0][1]), *stages.STAGES[1:]),
            id="misspelt",
        ),
    ],
)
def test_a_table_that_is_not_the_models_fails_at_import(rows):
    """Names and work can't disagree while a worker starts."""
    with pytest.raises(ImportError, match="not those of the ledger's model"):
        stages.bound(rows)


def test_the_columns_group_the_stages():
    """Statuses, supersession and rollback go by the groups that they have always had."""
    assert OF_A_CHECK == ("test", "build")
    covered = {one: [s.name for s in MODEL if s.status == one] for one in ("test", "build")}
    assert covered == {"test": ["checkout", "test", "analyze"], "build": ["build"]}
    assert [s.name for s in MODEL if s.speaks] == ["test", "analyze", "build", "release"]
    assert [s.name for s in MODEL if s.yields] == ["test", "analyze", "build", "publish"]
    assert frozenset({"deploy", "verify", "approve", "release"}) == DEPLOYING
    assert [s.name for s in MODEL if s.rollbacks] == ["deploy", "release"]


def test_nobody_keeps_a_list_of_stages_of_their_own():
    """What groups stages is a column of the table."""
    assert elsewhere('A = {"test": ("checkout", "analyze")}')
    assert not elsewhere('A = ("build", "deploy")')
    paths = (
        path for top in ("service", "workers", "config") for path in (ROOT / top).rglob("*.py")
    )
    named = {path.relative_to(ROOT).as_posix(): path.read_text() for path in paths}
    assert {name for name, text in named.items() if elsewhere(text)} - TABLES - COMMANDS == set()
