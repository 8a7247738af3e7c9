"""What the documentation says is so: links, examples, endpoints, states, settings, errors."""

import ast
import functools
import json
import re
import subprocess
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from config import pipeline, server
from config.settings import Settings, variable
from config.settings.client import ClientSettings
from service import create_app
from service.api.openapi.document import routes
from service.api.openapi.endpoints import ENDPOINTS
from tests.schemas import closed
from workers.ledger.model.run import BEGINS, TRANSITIONS, State
from workers.ledger.model.stages import STAGES

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
API = ROOT / "docs" / "api.md"
ARCHITECTURE = ROOT / "docs" / "architecture.md"
OPERATING = ROOT / "docs" / "operating.md"
LONGEST_ADR = 50
SHORTENED = ("$.runs[0]", "$.run")
OPEN = ("/healthz", "/readyz", "/metrics", "/openapi.json")
OPERATOR = """
[environments.sandbox]
branch = "develop"
[[repositories]]
name = "watchlist/*"
"""


def name(path):
    """A file's path as people write it."""
    return path.relative_to(ROOT).as_posix()


def markdown():
    """Every Markdown file that belongs to the project."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "*.md"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return sorted(ROOT / line for line in listed.stdout.splitlines() if (ROOT / line).exists())


PAGES = markdown()


def blocks(path, language):
    """The code blocks of one language."""
    return re.findall(rf"^```{language}\n(.*?)^```", path.read_text(), re.DOTALL | re.MULTILINE)


def prose(path):
    """A page without its code."""
    text = re.sub(r"^```.*?^```", "", path.read_text(), flags=re.DOTALL | re.MULTILINE)
    return re.sub(r"`[^`\n]*`", "", text)


def anchors(path):
    """The anchors that GitHub gives a page's headings."""
    text = re.sub(r"^```.*?^```", "", path.read_text(), flags=re.DOTALL | re.MULTILINE)
    headings = re.findall(r"^#+ +(.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-") for one in headings}


def section(path, heading):
    """The text below one heading, up to the next one of any level."""
    _, _, rest = path.read_text().partition(f"\n{heading}\n")
    assert rest, heading
    return re.split(r"^#+ ", rest, maxsplit=1, flags=re.MULTILINE)[0]


def first_cells(text):
    """The code in the first column of the tables, row by row."""
    rows = re.findall(r"^\| (`[^|]+) \|", text, re.MULTILINE)
    return [cell for row in rows for cell in re.findall(r"`([^`]+)`", row)]


def dead_links(path):
    """Links of a page to files or headings that are not there."""
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(path)):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, anchor = target.partition("#")
        found = (path.parent / file).resolve() if file else path
        if not found.exists() or (anchor and anchor not in anchors(found)):
            yield target


def test_there_are_pages():
    """The pages that the others lead to are found."""
    wanted = {"README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/README.md", "docs/api.md"}
    assert wanted <= {name(page) for page in PAGES}


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_lead_somewhere(page):
    """A link inside the project names a file, and a heading in it, that exist."""
    assert list(dead_links(page)) == []


def test_a_dead_link_is_found(tmp_path):
    """A missing file and a missing heading are both dead; code and the web are not looked at."""
    page = tmp_path / "page.md"
    page.write_text("# A b\n[1](#a-b) [2](#c) [3](none.md) [4](https://e.org/x) `[5](no.md)`\n")
    assert list(dead_links(page)) == ["#c", "none.md"]


def test_every_decision_is_listed_and_short():
    """Each ADR stands in the index and has less than 50 lines."""
    index = (ROOT / "docs" / "README.md").read_text()
    decisions = sorted((ROOT / "docs" / "adr").glob("*.md"))
    assert len(decisions) >= 5
    assert [one.name for one in decisions if f"(adr/{one.name})" not in index] == []
    assert [one for one in decisions if len(one.read_text().splitlines()) >= LONGEST_ADR] == []


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_toml_can_be_copied(page):
    """Each TOML block is a valid operator's file or a valid slipway.toml."""
    for block in blocks(page, "toml"):
        operators = "[environments." in block or "[[repositories]]" in block
        assert (server.parse if operators else pipeline.parse)(block)


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_json_can_be_read(page):
    """Each JSON block is JSON."""
    for block in blocks(page, "json"):
        assert json.loads(block)


def test_the_readme_has_examples_of_both_files():
    """The five steps show the operator's file and a slipway.toml."""
    assert len(blocks(README, "toml")) == 2


@pytest.fixture
def app(tmp_path):
    """The web application; nothing is asked of it."""
    settings = Settings(
        config=tmp_path,
        github_webhook_secrets="a-secret-of-github",
        redis_url="redis://127.0.0.1:1/0",
    )
    return create_app(settings, server.parse(OPERATOR))


@pytest.fixture
def rules(app):
    """Method and path of everything that the web process serves."""
    methods = ("GET", "POST", "PUT", "PATCH", "DELETE")
    return {
        f"{method} {re.sub(r'<[a-z]+:', '<', rule.rule)}"
        for rule in app.url_map.iter_rules()
        for method in methods
        if rule.methods and method in rule.methods
    }


def test_every_endpoint_is_documented(rules):
    """Each endpoint stands in a table of the API's page, and no other does."""
    cells = first_cells(API.read_text())
    documented = {cell for cell in cells if re.match(r"[A-Z]+ /", cell)}
    assert documented == rules


def test_every_endpoint_is_in_the_openapi_document(app):
    """Each has its entry in ENDPOINTS of service/api/openapi/endpoints.py, and none is left over.

    tests/service/test_openapi.py compares the entries with real answers.
    """
    served = {name for name, _ in routes(app)}
    assert served - set(ENDPOINTS) == set(), (
        "these need an entry in service/api/openapi/endpoints.py"
    )
    assert set(ENDPOINTS) - served == set(), "these entries have no endpoint"


def test_every_endpoint_of_the_api_has_an_example(rules):
    """Each endpoint that is no web page has a heading of its own, with a curl."""
    for rule in rules:
        path = rule.split(" ")[1]
        if path.startswith(("/api/", "/webhooks/")) or path in OPEN:
            assert "curl " in section(API, f"## `{rule}`"), rule


def answers():
    """Each JSON example of an answer on the API's page, with the endpoint that gives it."""
    for rule in ENDPOINTS:
        for block in re.findall(
            r"^```json\n(.*?)^```", section(API, f"## `{rule}`"), re.DOTALL | re.MULTILINE
        ):
            yield rule, json.loads(block)


def shapes_of(spec, rule):
    """How an endpoint may answer with success, and what it may ask people about."""
    method, path = rule.replace("<", "{").replace(">", "}").split(" ")
    for status, answer in spec["paths"][path][method.lower()]["responses"].items():
        if status.startswith("2") and "application/json" in answer.get("content", {}):
            yield answer["content"]["application/json"]["schema"]
    yield {"$ref": "#/components/schemas/Approval"}


@pytest.mark.parametrize(("rule", "answer"), list(answers()))
def test_answers_of_the_api_have_the_shape_of_the_openapi_document(app, rule, answer):
    """No field of an example is missing and none is gone, but in runs that are shortened."""
    spec = closed(app.test_client().get("/openapi.json").json)
    faults = [
        [
            f"{fault.json_path}: {fault.message}"
            for fault in Draft202012Validator(shape | spec).iter_errors(answer)
            if fault.json_path not in SHORTENED
        ]
        for shape in shapes_of(spec, rule)
    ]
    assert min(faults, key=len) == []


def test_the_example_of_a_run_is_compared():
    """It is among the answers, and whole."""
    (run,) = [answer for rule, answer in answers() if rule == "GET /api/v1/runs/<run_id>"]
    assert len(run["stages"]) == len(STAGES)


def test_the_graph_of_states_is_the_table_of_transitions():
    """The drawn life of a run has exactly the transitions that the code allows."""
    (graph,) = [b for b in blocks(ARCHITECTURE, "mermaid") if b.startswith("stateDiagram")]
    drawn = set(re.findall(r"^ +(\S+) --> (\S+)$", graph, re.MULTILINE))
    coded = {(str(a), str(b)) for a, following in TRANSITIONS.items() for b in following}
    ends = {(str(state), "[*]") for state in State if state.final}
    assert drawn == coded | ends | {("[*]", str(BEGINS))}


def test_the_stages_are_those_of_the_table():
    """Stages, their queues and whether a check run has them are as the code has them."""
    rows = re.findall(
        r"^\| `(\w+)` \| (\w+) \| (yes|no) \|", section(ARCHITECTURE, "## Stages"), re.MULTILINE
    )
    assert rows == [(s.name, s.queue, "yes" if s.checks else "no") for s in STAGES]


def test_every_task_is_in_the_decision_about_them():
    """Each Celery task is named where it says what messages carry, or in what has come since."""
    tasks = re.findall(r'name="workers\.(\w+)"', (ROOT / "workers" / "tasks.py").read_text())
    decision = (ROOT / "docs" / "adr" / "0002-doorbell-and-truth.md").read_text()
    assert {"advance", "look"} <= set(tasks)
    assert [task for task in tasks if f"`{task}`" not in decision] == []


def test_every_key_in_redis_is_documented():
    """Each key that a script or the ledger names stands in the table of keys."""
    keys = (ROOT / "workers" / "ledger" / "keys.py").read_text()
    used = set(re.findall(r"\{PREFIX\}(\w+)", keys))
    cells = first_cells(section(ARCHITECTURE, "## What is in Redis"))
    documented = {
        match[1] for cell in cells if (match := re.match(r"slipway:\{ledger\}:(\w+)", cell))
    }
    assert len(used) > 10
    assert used == documented


def shown(field):
    """A setting's default as the table shows it."""
    if field.is_required():
        return "required"
    value = field.default
    if value in (None, (), {}):
        return "none"
    text = ",".join(value) if isinstance(value, tuple) else value
    return f"`{text:g}`" if isinstance(text, float) else f"`{text}`"


@pytest.mark.parametrize("field", Settings.model_fields)
def test_settings_have_their_row(field):
    """A setting's row has its variable, its default and its description."""
    info = Settings.model_fields[field]
    row = f"| `{variable(field)}` | {shown(info)} | {info.description} |"
    assert row in README.read_text().splitlines(), f"the README's table needs:\n{row}"


def test_no_setting_is_documented_that_is_gone():
    """The table of settings names nothing that Slipway no longer reads."""
    known = {variable(field) for field in Settings.model_fields}
    for field in ClientSettings.model_fields.values():
        alias = field.validation_alias
        known |= set(getattr(alias, "choices", [alias]))
    assert set(first_cells(section(README, "## Settings"))) <= known
    assert {"SLIPWAY_URL", "SLIPWAY_TOKEN"} <= known


@functools.cache
def said():
    """Every text in the code of the three floors, a line each."""
    texts = [path.read_text() for path in (ROOT / "workers").rglob("*.lua")]
    for floor in ("service", "workers", "config"):
        for path in (ROOT / floor).rglob("*.py"):
            nodes = ast.walk(ast.parse(path.read_text()))
            texts += [n.value for n in nodes if isinstance(n, ast.Constant) and _text(n.value)]
    return "\n".join(texts)


def _text(value):
    return isinstance(value, str)


@pytest.mark.parametrize("phrase", first_cells(section(OPERATING, "## Troubleshooting")))
def test_troubleshooting_quotes_what_slipway_says(phrase):
    """Each text in the troubleshooting table is one that the code really says."""
    assert phrase in said()


def test_nobody_is_told_to_push_the_same_commit_again():
    """That does nothing as long as its run is kept: one that failed is retried instead."""
    for text in (said(), *(page.read_text() for page in (ROOT / "docs").rglob("*.md"))):
        assert not re.search(r"push (it|that one) again|push again \|", text)


@pytest.mark.parametrize("event", first_cells(section(OPERATING, "## Logs")))
def test_events_are_those_of_the_logs(event):
    """Each event that is explained is one that the code logs."""
    assert event in said().splitlines()


def test_contributing_names_files_that_exist():
    """Whoever adds something finds what "How to add" sends them to."""
    text = (ROOT / "CONTRIBUTING.md").read_text().partition("## How to add")[2]
    named = re.findall(r"`((?:config|service|workers|tests|docs)/[a-z_/.]+)`", text)
    assert len(named) > 30, "the pattern finds no paths any more"
    assert [path for path in named if not (ROOT / path).exists()] == []
