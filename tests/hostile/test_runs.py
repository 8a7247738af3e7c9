"""Hostile repositories from the push to the status: the run ends, and all others go on."""

import time
from collections.abc import Iterator

import pytest

from tests.e2e.town import DEPLOY, DOCKERFILE, Files, Place, Town, settled

pytestmark = pytest.mark.e2e

NODE = """[functions.{}]
runtime = "nodejs20.x"
handler = "index.lambda_handler"
"""


@pytest.fixture(scope="module")
def town(
    tmp_path_factory: pytest.TempPathFactory, docker_host: str, python_image: str
) -> Iterator[Town]:
    """One running Slipway for all of them."""
    with settled(tmp_path_factory.mktemp("town"), {"DOCKER_HOST": docker_host}) as town:
        yield town


def _assert_refused(place: Place, commit: str, words: str) -> None:
    """It failed by the code's fault, for this reason, and left nothing behind."""
    run = place.ended(commit)
    story = place.story(commit)
    errors = " ".join(stage["error"] or "" for stage in run["stages"])
    assert run["state"] == "failed", story
    assert words in errors, story
    assert "Slipway itself failed" not in errors
    assert place.states(commit)[DEPLOY] == "failure", story
    place.town.assert_clean(run["id"])


def _with_many_names(place: Place, size: int, names: int) -> str:
    """A commit that holds one blob so often; pushed."""
    git = place.town.github.git(place.repository)
    base = place.commit()
    blob = git.run("hash-object", "-w", "--stdin", stdin=bytes(size))
    listed = "".join(f"100644 blob {blob}\tbig{number:03}\n" for number in range(names))
    root = git.run("ls-tree", base)
    tree = git.run("mktree", stdin=f"{root}\n{listed}".encode())
    git.set_ref("refs/heads/develop", git.commit_tree(tree, [base], "Many names"))
    (delivery,) = place.town.github.push_event(place.repository, "develop")
    assert delivery.status_code == 202, delivery.response_body
    commit = git.commit_id("refs/heads/develop")
    assert commit
    return commit


def test_one_blob_under_thirty_names_fails_the_run(town: Town) -> None:
    """A push of 75 KB that would be 2.3 GB on disk fails as the repository's fault."""
    place = town.place("hostile-names")
    commit = _with_many_names(place, 75 << 20, 30)
    _assert_refused(place, commit, "holds more than 2.1 GB of files")


def test_a_dockerfile_of_blank_lines_holds_nobody(town: Town) -> None:
    """It is built like any other, and meanwhile all others are served."""
    place, other = town.place("hostile-blank"), town.place("hostile-neighbour")
    blank: Files = place.files(Dockerfile=DOCKERFILE + "\n" * 150_000 + "LABEL a=b\n")
    began = time.monotonic()
    commit = place.push(blank)
    other.assert_deployed(other.push())
    assert place.ended(commit)["state"] == "succeeded", place.story(commit)
    assert time.monotonic() - began < 60


def test_a_subject_of_megabytes_is_cut(town: Town) -> None:
    """It is deployed, lists answer, and the ledger holds its beginning only."""
    place = town.place("hostile-subject")
    commit = place.push(message="x" * (8 << 20))
    run = place.ended(commit)
    assert run["state"] == "succeeded", place.story(commit)
    record = town.record(run["id"])
    assert record["subject"] == "x" * 300 + "…"
    assert sum(map(len, record.values())) < 100_000
    assert town.slipway.get("/api/v1/runs").status_code == 200
    assert town.slipway.get("/runs").status_code == 200


@pytest.mark.parametrize(
    ("name", "changes", "words"),
    [
        ("folder", {"Dockerfile": None, "Dockerfile/x": "x"}, "Dockerfile is not a file"),
        ("large", {"Dockerfile": "#" * 1_000_001}, "Dockerfile has more than 1000000 bytes"),
        ("deep", {"Dockerfile": None, "package.json": "[" * 100_000}, "nested too deeply"),
        ("shape", {"Dockerfile": None, "package.json": '{"dependencies": [1]}'}, "looked for"),
    ],
)
def test_files_that_can_not_be_read_fail_the_run(
    town: Town, name: str, changes: Files, words: str
) -> None:
    """A folder in a file's place, a huge one, one nested without end, one of another shape."""
    place = town.place(f"hostile-{name}")
    files = {**place.files(), **changes}
    if "package.json" in changes:
        files["slipway.toml"] = NODE.format(place.function)
    files = {path: text for path, text in files.items() if text is not None}
    _assert_refused(place, place.push(files), words)
