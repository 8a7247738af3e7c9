"""The house rules: floors, rooms, sizes, and what must never be written."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FLOORS = ("service", "workers", "config")
MODULES = sorted(path for floor in FLOORS for path in (ROOT / floor).rglob("*.py"))
ROOMS = {
    "boto3": ("workers/aws/",),
    "botocore": ("workers/aws/",),
    "docker": ("workers/docker/",),
    "github": ("workers/github/",),
    "flask": ("service/",),
    "celery": (
        "workers/app.py",
        "workers/process/pool.py",
        "workers/ledger/messages.py",
        "workers/tasks.py",
    ),
    "kombu": ("workers/app.py", "workers/process/pool.py", "workers/ledger/messages.py"),
    "redis": ("workers/", "service/"),
}
PAYLOAD_KEYS = {"full_name", "clone_url", "merge_commit_sha", "head_commit", "pusher"}
MODULE_LINES = 300
FUNCTION_LINES = 50


def name(path: Path) -> str:
    """A module's path as people write it."""
    return path.relative_to(ROOT).as_posix()


def tree(path: Path) -> ast.Module:
    """A module's syntax tree."""
    return ast.parse(path.read_text())


def imports(node: ast.AST) -> Iterator[str]:
    """The dotted names that a tree imports."""
    for child in ast.walk(node):
        if isinstance(child, ast.Import):
            yield from (alias.name for alias in child.names)
        elif isinstance(child, ast.ImportFrom) and child.module and not child.level:
            yield child.module


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """The functions of a module, methods and inner ones too."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_arrows_go_down_only(path):
    """Service stands on workers, workers on config; nobody looks up, nobody imports tests."""
    above = set(FLOORS[: FLOORS.index(name(path).split("/")[0])]) | {
        "tests",
        "demo",
        "local",
        "benchmarks",
    }
    upward = [module for module in imports(tree(path)) if module.split(".")[0] in above]
    assert upward == []


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_libraries_stay_in_their_rooms(path):
    """Only one room speaks to AWS, to Docker, to GitHub, to Celery, to Flask."""
    strays = [
        module
        for module in imports(tree(path))
        if (rooms := ROOMS.get(module.split(".")[0])) and not name(path).startswith(rooms)
    ]
    assert strays == []


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_our_own_imports_stand_at_the_top(path):
    """No function imports a module of ours: a cycle is mended, not hidden.

    But for one: the `slipway` command lies in the package whose `create_app` needs Flask.
    """
    local = [
        f"{function.name}: {module}"
        for function in functions(path)
        for module in imports(function)
        if module.split(".")[0] in FLOORS
    ]
    late = ["create_app: service.application"] if name(path) == "service/__init__.py" else []
    assert local == late


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_only_the_settings_read_the_environment(path):
    """os.environ and os.getenv are read in one place."""
    if name(path) == "config/settings/__init__.py":
        return
    text = path.read_text()
    assert "os.environ" not in text
    assert "getenv" not in text


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_only_events_reads_githubs_payloads(path):
    """The keys of a webhook's payload are known to one module."""
    if name(path) == "service/webhooks/events.py" or name(path).startswith("workers/github/"):
        return
    written = {
        node.value
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert written & PAYLOAD_KEYS == set()
    if name(path) != "service/webhooks/payloads.py":
        assert not [
            one for one in imports(tree(path)) if one.startswith("service.webhooks.payloads")
        ]


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_modules_and_functions_are_small(path):
    """A module has 300 lines at most, a function 50."""
    assert len(path.read_text().splitlines()) <= MODULE_LINES
    long = [
        function.name
        for function in functions(path)
        if (function.end_lineno or 0) - function.lineno + 1 > FUNCTION_LINES
    ]
    assert long == []


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_secrets_are_compared_in_constant_time(path):
    """No == or != on something called a token, secret, signature or password."""
    secret = re.compile(r"token|secret|signature|password", re.IGNORECASE)
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Compare) and any(
            isinstance(op, ast.Eq | ast.NotEq) for op in node.ops
        ):
            sides = [node.left, *node.comparators]
            names = [
                s.attr if isinstance(s, ast.Attribute) else getattr(s, "id", "") for s in sides
            ]
            assert not any(secret.search(one) for one in names), ast.unparse(node)


def test_celery_is_a_doorbell_only():
    """No canvas, no retries, no countdowns: what must happen stands in the ledger."""
    banned = re.compile(r"\b(chord|group|chain|apply_async|countdown|revoke)\s*\(|self\.retry\(")
    for path in (ROOT / "workers").glob("*.py"):
        assert not banned.search(path.read_text()), name(path)


def test_tasks_are_registered_under_the_names_that_are_sent():
    """Every name that the queue sends is a task that a worker knows."""
    from celery import Celery

    from workers import tasks
    from workers.ledger import messages

    app = Celery(set_as_current=False)
    app.finalize()
    names = {
        getattr(tasks, one).name for one in ("advance", "report", "look", "bring", "sweep", "poll")
    }
    assert {
        f"workers.{one}"
        for one in (messages.ADVANCE, messages.REPORT, messages.LOOK, messages.BRING)
    } <= names
    assert names <= set(app.tasks)


def test_the_web_process_imports_neither_boto3_nor_docker():
    """What answers webhooks starts fast and can't reach AWS or Docker by mistake."""
    program = "import sys, service; print(sorted({'boto3', 'docker', 'github'} & set(sys.modules)))"
    answer = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == "[]"


def test_every_setting_is_documented():
    """Each environment variable stands in the README's table, with its default."""
    from config.settings import Settings, variable

    readme = (ROOT / "README.md").read_text()
    missing = [
        name for field in Settings.model_fields if f"`{(name := variable(field))}`" not in readme
    ]
    assert missing == []
