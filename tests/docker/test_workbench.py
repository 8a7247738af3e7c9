"""Builds of a source tree: presets, several images, and the same by `slipway build`."""

import base64
import hashlib
import io
import time
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner

from config.pipeline import Pipeline, parse
from service.cli import main
from tests.docker.conftest import Quiet
from workers.docker import litter
from workers.docker.bounds import Bounds
from workers.docker.engine import Engine
from workers.docker.workbench import Output, Workbench
from workers.ledger.model.errors import UserError

pytestmark = pytest.mark.docker

PYTHON = 'runtime = "python3.11"\n'
MONOREPO = f"""
[package]
include = ["src"]

[functions.A]
{PYTHON}
[functions.B]
{PYTHON}include = ["src/b.py"]

[functions.C]
{PYTHON}dockerfile = "docker/c"
path = "/c"
include = []
"""


class Bench:
    """Builds a source tree with defaults; `log` holds what was said."""

    def __init__(self, engine: Engine, source: Path, labels: dict[str, str]) -> None:
        self.engine, self.source, self.labels = engine, source, labels
        self.log = ""

    def build(self, pipeline: Pipeline, folder: Path) -> Output:
        """Build and package."""
        bench = Workbench(
            engine=self.engine,
            source=self.source,
            folder=folder,
            where="commit abc1234",
            labels=self.labels,
            bounds=Bounds("none", "tests"),
            seconds=120,
            say=self._say,
            watch=Quiet(),
        )
        return bench.build(pipeline, {})

    def _say(self, source: str, text: str) -> None:
        self.log += f"[{source}] {text}\n"


@pytest.fixture
def bench(real_engine: Engine, context: Path, labels: dict[str, str]) -> Bench:
    """A workbench for the files in `context`."""
    return Bench(real_engine, context, labels)


def write(folder: Path, **files: str) -> None:
    """Write files; `__` stands for a slash, `_0` for a dot."""
    for name, text in files.items():
        file = folder / name.replace("__", "/").replace("_0", ".")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


def test_a_monorepo_without_and_with_dockerfiles(bench: Bench, tmp_path: Path):
    """Functions share a preset's image or have their own; the source is left as it was."""
    write(
        bench.source,
        requirements_0txt="",
        src__a_0py="a = 1\n",
        src__b_0py="b = 1\n",
        docker__c="FROM scratch\nCOPY src/b.py /c/src/b.py\n",
    )
    before = sorted(bench.source.rglob("*"))
    made = bench.build(parse(MONOREPO), tmp_path / "made").packages
    contents = {name: zipfile.ZipFile(one.path).namelist() for name, one in made.items()}
    assert contents == {"A": ["src/a.py", "src/b.py"], "B": ["src/b.py"], "C": ["src/b.py"]}
    assert made["B"].sha256 == made["C"].sha256 != made["A"].sha256
    assert sorted(bench.source.rglob("*")) == before
    assert "[build/preset] # Slipway's preset for python3.11" in bench.log
    assert bench.log.count("[build/preset] FROM scratch") == 1
    assert "[build-2/image]" in bench.log
    mine = f"{litter.RUN}={bench.labels[litter.RUN]}"
    assert not bench.engine.client.images.list(filters={"label": mine})


OWN_FOLDERS = """
[functions.List]
runtime = "python3.11"
source = "functions/list"
include = ["shared"]

[functions.Same]
runtime = "python3.11"
source = "functions/list/"
include = ["shared"]

[functions.Docker]
source = "functions/docker"
include = ["a.txt"]
"""


def test_functions_have_folders_of_their_own(bench: Bench, tmp_path: Path):
    """Their files are at the root of the zip, shared ones beside; equal inputs are built once."""
    write(
        bench.source,
        functions__list__requirements_0txt="",
        functions__list__app_0py="import shared.db\n",
        shared__db_0py="",
        functions__docker__Dockerfile="FROM scratch\nCOPY . /app/\n",
        functions__docker__a_0txt="a",
    )
    made = bench.build(parse(OWN_FOLDERS), tmp_path / "made").packages
    contents = {name: zipfile.ZipFile(one.path).namelist() for name, one in made.items()}
    assert contents["List"] == ["app.py", "requirements.txt", "shared/db.py"]
    assert contents["Docker"] == ["a.txt"]
    assert made["Same"].sha256 == made["List"].sha256
    assert "[build-2/image]" in bench.log
    assert "[build-3/image]" not in bench.log


def test_a_context_and_a_stage_of_a_dockerfile(bench: Bench, tmp_path: Path):
    """The folder that is named is copied from, and the stage that is named is taken."""
    stages = "FROM scratch AS one\nCOPY . /app/\nFROM scratch AS two\nCOPY b /app/b\n"
    write(bench.source, services__api__a="a", docker__api=stages)
    more = '[build]\ndockerfile = "docker/api"\ncontext = "services/api"\ntarget = "one"\n'
    made = bench.build(parse(f"{more}[functions.A]\n"), tmp_path / "made").packages
    assert zipfile.ZipFile(made["A"].path).namelist() == ["a"]


@pytest.mark.parametrize("where", ["out", "out/ssl", "a", "none"])
def test_a_context_stays_in_the_repository(bench: Bench, tmp_path: Path, where: str):
    """A link that leads out, a file and nothing at all are refused before the engine is asked."""
    write(bench.source, Dockerfile="FROM scratch\nCOPY . /app/\n", a="a")
    (bench.source / "out").symlink_to("/etc")
    text = f'[build]\ncontext = "{where}"\n[functions.A]\n'
    with pytest.raises(UserError, match=r"lies outside|is not a folder|can't be read"):
        bench.build(parse(text), tmp_path / "made")


def test_the_first_build_that_fails_stops_the_others(
    bench: Bench, python_image: str, tmp_path: Path
):
    """Its error is told, not that others were stopped."""
    assert python_image == "python:3.11-slim"
    write(bench.source, slow="FROM python:3.11-slim\nRUN sleep 60\n", bad="FROM scratch\nNO\n")
    text = '[functions.A]\ndockerfile = "slow"\n[functions.B]\ndockerfile = "bad"\n'
    began = time.monotonic()
    with pytest.raises(UserError, match="image build of bad failed"):
        bench.build(parse(text), tmp_path / "made")
    assert time.monotonic() - began < 40


def test_a_handler_that_is_not_in_the_package_is_refused(bench: Bench, tmp_path: Path):
    """No zip is made for a function that could not start; without the key nothing is asked (D5)."""
    write(bench.source, Dockerfile="FROM scratch\nCOPY . /app/\n", app_0py="x = 1\n")
    good = f"[functions.A]\n{PYTHON}"
    with pytest.raises(
        UserError, match=r"A: handler 'main\.handler' of python3\.11 needs 'main\.py'"
    ):
        bench.build(parse(f'{good}handler = "main.handler"\n'), tmp_path / "bad")
    assert not list((tmp_path / "bad").glob("*.zip"))
    assert bench.build(parse(good), tmp_path / "made").packages["A"].files == 2


def _zipped(**files: str) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as packed:
        for name, text in files.items():
            packed.writestr(zipfile.ZipInfo(f"{name}.py"), text)
    return data.getvalue()


def test_an_artifact_is_taken_as_it_is(bench: Bench, tmp_path: Path):
    """A zip that the build made is the package byte for byte, and is looked into."""
    write(bench.source, Dockerfile="FROM scratch\nCOPY . /app/\n", b_0py="")
    (bench.source / "f.zip").write_bytes(_zipped(app="x = 1"))
    text = f'[functions.A]\n{PYTHON}artifact = "f.zip"\nhandler = "app.x"\n'
    made = bench.build(parse(f"{text}[functions.B]\n"), tmp_path / "made").packages
    assert made["A"].path.read_bytes() == _zipped(app="x = 1")
    digest = hashlib.sha256(_zipped(app="x = 1")).digest()
    assert made["A"].sha256 == base64.b64encode(digest).decode()
    assert (made["A"].files, made["A"].unzipped_size) == (1, 5)
    assert made["B"].files == 3
    with pytest.raises(UserError, match=r"A: handler 'main\.x' .* needs 'main\.py'"):
        bench.build(parse(text.replace("app.x", "main.x")), tmp_path / "bad")


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"PK\5\6", "is not a zip"),
        (b"no zip at all", "is not a zip"),
        (b"PK\5\6" + b"\xff" * 18, "lists more files"),
        (_zipped(app="x")[:40] + _zipped(app="x")[41:], "is not a zip"),
        (None, r"there is no /app/f\.zip in the image"),
        ("", "is not a regular file"),
    ],
    ids=["cut", "text", "endless", "damaged", "missing", "link"],
)
def test_an_artifact_that_is_none_is_refused(
    bench: Bench, tmp_path: Path, data: bytes | str | None, why: str
):
    """It is named with what is wrong, and nothing outside of the image is read."""
    write(bench.source, Dockerfile="FROM scratch\nCOPY . /app/\n")
    if isinstance(data, bytes):
        (bench.source / "f.zip").write_bytes(data)
    elif data is not None:
        (bench.source / "f.zip").symlink_to("Dockerfile")
    with pytest.raises(UserError, match=why):
        bench.build(parse('[functions.A]\nartifact = "f.zip"\n'), tmp_path / "made")


def test_a_package_that_looks_odd_is_told(bench: Bench, tmp_path: Path):
    """A zip in the zip, and the pointers of git LFS, are in the log (D16)."""
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0' * 64}\nsize 12345\n"
    write(bench.source, Dockerfile="FROM scratch\nCOPY f.zip /app/\nCOPY model /b/\n", f_0zip="PK")
    write(bench.source, model=pointer)
    bench.build(parse('[functions.A]\n[functions.B]\npath = "/b"\n'), tmp_path / "made")
    assert "A: the package holds nothing but 'f.zip', which is a zip in the zip" in bench.log
    assert "B: 'model' are pointers of git LFS" in bench.log


def test_a_presets_stages_are_built(bench: Bench, python_image: str, tmp_path: Path):
    """A preset with stages and cache mounts is one that BuildKit takes; its faults are told."""
    assert python_image == "python:3.11-slim"
    write(bench.source, requirements_0txt="./no-such-package\n", index_0py="")
    with pytest.raises(UserError, match="image build of the preset's Dockerfile failed") as caught:
        bench.build(parse(f"[functions.A]\n{PYTHON}"), tmp_path / "made")
    assert "pip install --no-compile --target /packages" in str(caught.value)


def test_slipway_build_gives_what_a_push_gives(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """The command prints the hash that the stages get for the same files, and keeps the zips."""
    files = {"requirements_0txt": "", "src__a_0py": "a = 1\n", "src__b_0py": "b = 1\n"}
    text = MONOREPO.partition("[functions.C]")[0]
    write(bench.source, **files, slipway_0toml=text)
    made = bench.build(parse(text), tmp_path / "made").packages
    work = tmp_path / "work"
    write(work, **files, slipway_0toml=text)
    monkeypatch.setenv("DOCKER_HOST", bench.engine.host)
    words = ["build", str(work), "--output", str(tmp_path / "zips"), "--network", "none"]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 0, result.output
    for name, package in made.items():
        digest = hashlib.sha256((tmp_path / "zips" / f"{name}.zip").read_bytes()).digest()
        assert base64.b64encode(digest).decode() == package.sha256
        assert (
            f"{name}: {package.files} files, {package.size} bytes\n"
            f"  sha256 {package.sha256}\n"
            f"  hex    {digest.hex()}\n"
            f"  zip    {tmp_path}/zips/{name}.zip\n"
        ) in result.stdout
    assert "[build/preset] COPY . /app/" in result.stderr

    only = CliRunner().invoke(main, ["build", str(work), "--function", "B", "--network", "none"])
    assert only.stdout.startswith("B: 1 files,")
    assert "A:" not in only.stdout
