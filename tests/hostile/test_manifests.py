"""Manifests and pipeline files that are nested without end, of the wrong shape, or far too long."""

import json
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from config import limits
from config.pipeline import ConfigError, parse
from workers.docker import images
from workers.docker.presets import Folder, recipe, recipes
from workers.ledger.model.errors import RunError, UserError
from workers.sonar import properties

DEEP = 100_000
PYTHON, NODE, GO = "python3.11", "nodejs20.x", "provided.al2023"


def _recipe(folder: Path, runtime: str, files: Mapping[str, str]) -> str:
    for name, text in files.items():
        (folder / name).write_text(text)
    pipeline = parse(f'[functions.f]\nruntime = "{runtime}"\nhandler = "a.b"\n')
    return recipe(pipeline, "f", Folder(folder), "commit 1234567").text


def test_python_itself_gives_up_on_deep_json() -> None:
    """The library raises what is no ValueError, which once was called a fault of Slipway's."""
    with pytest.raises(RecursionError):
        json.loads("[" * DEEP)


@pytest.mark.parametrize(
    ("runtime", "files", "words"),
    [
        (NODE, {"package.json": "[" * DEEP}, "package.json can't be read: it is nested"),
        (NODE, {"package.json": '{"a":' * DEEP}, "package.json can't be read: it is nested"),
        (NODE, {"package.json": "1" * DEEP}, "package.json can't be read"),
        (PYTHON, {"pyproject.toml": "a = " + "[" * DEEP}, "pyproject.toml:1: lists or tables"),
        (PYTHON, {"pyproject.toml": "a." * DEEP + "a = 1"}, "a key of more than 64 parts"),
        (PYTHON, {"pyproject.toml": "a = " + "1" * DEEP}, "too many digits"),
        (PYTHON, {"requirements.txt": "x\n" * 600_000}, "at most 1000000 bytes"),
        (PYTHON, {"requirements.txt": "a" * 900_000}, ""),
        (PYTHON, {"requirements.txt": "a." * 450_000}, ""),
        (PYTHON, {"requirements.txt": "-" + "a:/" * 300_000}, ""),
        (PYTHON, {"pyproject.toml": "#" + "path " * 180_000 + "\n[project]\n"}, ""),
        (PYTHON, {"pyproject.toml": "#" + "path" + " " * 900_000, "pylock.toml": ""}, ""),
        (GO, {"go.mod": "go 1." + "1" * DEEP + "x\nrequire" * 10}, ""),
    ],
)
def test_manifests_without_end_are_the_repositorys_fault(
    tmp_path: Path, runtime: str, files: Mapping[str, str], words: str
) -> None:
    """Each is named with what is wrong, within a few seconds."""
    began = time.process_time()
    if words:
        with pytest.raises(UserError, match=words):
            _recipe(tmp_path, runtime, files)
    else:
        assert len(_recipe(tmp_path, runtime, files)) < 2000
    assert time.process_time() - began < 10


@pytest.mark.parametrize(
    ("runtime", "files"),
    [
        (NODE, {"package.json": '{"a": [' + "1," * 450_000 + "1]}", "yarn.lock": ""}),
        (PYTHON, {"pyproject.toml": "[project]\ndependencies = [" + "'a'," * 200_000 + "]"}),
        (PYTHON, {"requirements.txt": "x\n" * 450_000}),
        (GO, {"go.mod": "go 1.22\n" + "// require x\n" * 70_000}),
    ],
    ids=["package.json", "pyproject.toml", "requirements.txt", "go.mod"],
)
def test_a_large_manifest_of_many_functions_is_read_once(
    tmp_path: Path, runtime: str, files: Mapping[str, str]
) -> None:
    """200 functions of one manifest take no 200 times as long as one."""
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    table = "".join(
        f'[functions.f{number}]\nruntime = "{runtime}"\nhandler = "a{number}.b"\n'
        for number in range(200)
    )
    pipeline = parse(table)
    began = time.process_time()
    assert len(recipes(pipeline, Folder(tmp_path), "commit 1234567")) == 200
    assert time.process_time() - began < 15


@pytest.mark.parametrize(
    ("runtime", "files"),
    [
        (NODE, {"package.json": '{"dependencies": ["a"], "devDependencies": 1}'}),
        (NODE, {"package.json": '{"packageManager": {"a": []}, "scripts": null}'}),
        (NODE, {"package.json": '{"packageManager": "pnpm@9.%s"}' % ("1" * 900_000)}),
        (PYTHON, {"pyproject.toml": "tool = []", "uv.lock": ""}),
        (PYTHON, {"pyproject.toml": "[tool]\nuv = 1", "uv.lock": ""}),
        (PYTHON, {"pyproject.toml": "[project]\ndynamic = 1"}),
        (PYTHON, {"pyproject.toml": "project = 1"}),
    ],
)
def test_manifests_of_the_wrong_shape_are_no_fault_of_ours(
    tmp_path: Path, runtime: str, files: Mapping[str, str]
) -> None:
    """What a preset reads of them is looked at before it is used."""
    if runtime == NODE:
        files = {**files, "package-lock.json": "{}"}
    try:
        text = _recipe(tmp_path, runtime, files)
    except RunError as error:
        assert error.fault == "user"  # noqa: PT017 - either answer is fine, a crash is not
        text = str(error)
    assert len(text) < 5000


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[package]\ninclude = [" + '"a",' * 201 + "]", "at most 200 paths or globs, got 201"),
        ('[package]\ninclude = ["' + "*a" * 600 + '"]', "at most 1024 characters, got 1200"),
        ('[build]\ndockerfile = "' + "d" * 200_000 + '"', "at most 1024 characters"),
        ('[build]\npath = "/' + "d" * 200_000 + '"', "at most 1024 characters"),
        ('[test.checks]\nunit = "' + "d" * 200_000 + '"', "a command of at most 100000 bytes"),
        ('[build.args]\nA = "' + "d" * 200_000 + '"', "at most 32768 bytes"),
        ("[build.args]\n" + "".join(f'A{n} = ""\n' for n in range(201)), "at most 200 build"),
        ("[test.checks]\n" + "".join(f'a{n} = "x"\n' for n in range(51)), "at most 50 checks"),
    ],
)
def test_what_a_pipeline_file_lists_is_bounded(text: str, words: str) -> None:
    """Lists, paths, commands and arguments have limits that the message names."""
    with pytest.raises(ConfigError, match=words):
        parse(f'{text}\n[functions.f]\nruntime = "python3.11"\nhandler = "a.b"\n')


@pytest.mark.parametrize("depth", [50, 200, 320, 5000])
def test_a_payload_may_be_nested_and_no_deeper_than_is_read(depth: int) -> None:
    """Any depth is either taken or a message with its line."""
    text = f"payload = {'[' * depth}{']' * depth}"
    try:
        parse(
            f'[functions.f]\nruntime = "python3.11"\nhandler = "a.b"\n[functions.f.smoke]\n{text}'
        )
    except ConfigError as error:
        assert "slipway.toml:" in str(error)  # noqa: PT017 - shallow ones are fine


def test_arguments_that_a_branch_makes_long_are_refused(tmp_path: Path) -> None:
    """Filled in, they may be more than Linux takes; it is said before Docker's client is called."""
    args = {"A": "x" * (limits.WORD + 1)}
    with pytest.raises(OSError, match="Argument list too long"):
        _execute("x" * 200_000)
    with pytest.raises(UserError, match="the build arguments, filled in, have more than 131000"):
        images._checked([f"--build-arg=A={args['A']}"])
    with pytest.raises(UserError, match="1048576 together"):
        images._checked(["x" * 100_000] * 11)


def _execute(word: str) -> None:

    subprocess.run(["true", word], check=True)


def test_properties_of_endless_lines_are_read_in_linear_time() -> None:
    """A file of lines that go on and on takes a few seconds at most, and says the same."""
    text = "sonar.sources=" + "a\\\n" * 333_000 + "b"
    began = time.process_time()
    found = properties.parse(text)
    assert time.process_time() - began < 5
    assert found == {"sonar.sources": "a" * 333_000 + "b"}


@pytest.mark.parametrize("fill", [".a", "a", "Report", ".aReport", "\\u0041", "\\\\", " ", "="])
def test_no_key_of_a_property_holds_the_worker(fill: str) -> None:
    """Whatever repeats in a name or a value, it is judged within seconds."""
    text = "sonar" + (fill * 1_000_000)[:900_000] + "=x\n"
    began = time.process_time()
    properties.admitted(properties.parse(text))
    assert time.process_time() - began < 10
