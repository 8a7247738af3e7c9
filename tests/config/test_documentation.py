"""The reference names every key, and its examples can be copied."""

import re
from pathlib import Path

import pytest

from config import pipeline, server

REFERENCE = Path(__file__).parents[2] / "docs" / "configuration.md"
TOML = re.compile(r"```toml\n(.*?)```", re.DOTALL)
PAGES = {page.name: TOML.findall(page.read_text()) for page in REFERENCE.parent.glob("*.md")}
EXAMPLES = [(page, example) for page, found in sorted(PAGES.items()) for example in found]
SUBJECTS = {
    "approvals.md",
    "examples.md",
    "gateway.md",
    "isolation.md",
    "monorepo.md",
    "notifications.md",
    "building.md",
    "sites.md",
    "sonarqube.md",
    "tests.md",
    "verify.md",
}
MODELS = (
    server.Operator,
    server.Environment,
    server.Approval,
    server.Repository,
    server.Slack,
    server.Builds,
    pipeline.Test,
    pipeline.Check,
    pipeline.Build,
    pipeline.Package,
    pipeline.Function,
    pipeline.Smoke,
    pipeline.Site,
    pipeline.Sonar,
)


def tables():
    """The keys of each table of the reference."""
    found, keys = [], None
    for line in REFERENCE.read_text().splitlines():
        if line.startswith("| key |"):
            keys = set()
            found.append(keys)
        elif keys is not None and (match := re.match(r"\| `(\w+)` \|", line)):
            keys.add(match[1])
    return found


@pytest.mark.parametrize("model", MODELS)
def test_every_key_is_in_a_table(model):
    """Each table of the reference holds exactly the keys of one model."""
    keys = set(model.model_fields) - ({"name"} if model is server.Environment else set())
    assert keys in tables()


def test_there_is_a_table_for_each_model_and_no_other():
    """What was removed from a model is not left behind in the reference."""
    assert len(tables()) == len(MODELS)


@pytest.mark.parametrize(("page", "example"), EXAMPLES)
def test_examples_can_be_copied(page, example):
    """Each TOML example of any page is valid as the file that it shows."""
    operators = re.search(r"^\[+(environments|repositories)", example, re.MULTILINE)
    assert (server if operators else pipeline).parse(example), page


def test_there_are_examples():
    """The reference has its four, and each page about a subject has one to copy."""
    assert len(PAGES[REFERENCE.name]) == 4
    assert {page for page in SUBJECTS if not PAGES.get(page)} == set()
