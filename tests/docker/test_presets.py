"""Which Dockerfile builds a function, and what the presets say."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from config.pipeline import parse
from workers.docker.presets import Below, Folder, Recipe, pins, recipe, recipes
from workers.docker.presets.table import PRESETS
from workers.ledger.model.errors import UserError

CACHED = "RUN --mount=type=cache,target="
ARGS = '[build]\nargs = { ENVIRONMENT = "{environment}" }\n'


@pytest.fixture
def choose(tmp_path: Path):
    """What builds the function F of these files."""

    def run(runtime: str, files: dict[str, str], more: str = "", own: str = "") -> Recipe:
        for name, text in files.items():
            file = tmp_path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        function = f'[functions.F]\nruntime = "{runtime}"\nhandler = "a.b"\n{own}\n{more}'
        return recipe(parse(function), "F", Folder(tmp_path), "commit abc1234")

    return run


def test_a_dockerfile_goes_before_presets(choose):
    """A repository with a Dockerfile is built with it, whatever else is there."""
    found = choose("python3.11", {"Dockerfile": "", "requirements.txt": "requests"})
    assert found == Recipe("Dockerfile", "", "/app")


def test_a_functions_own_dockerfile_and_path(choose):
    """A function may name a Dockerfile and a path of its own."""
    own = 'dockerfile = "docker/f"\npath = "/f"'
    assert choose("python3.11", {"docker/f": "", "Dockerfile": ""}, own=own) == Recipe(
        "docker/f", "", "/f"
    )


@pytest.mark.parametrize(
    ("own", "more"), [('dockerfile = "docker/f"', ""), ("", '[build]\ndockerfile = "docker/f"\n')]
)
def test_a_dockerfile_that_is_asked_for_must_be_there(choose, own: str, more: str):
    """No preset takes the place of a Dockerfile that slipway.toml names."""
    with pytest.raises(UserError, match=r"docker/f is not in commit abc1234"):
        choose("python3.11", {"requirements.txt": ""}, more=more, own=own)


SOURCE = 'source = "functions/list"'


def test_a_folder_of_its_own_is_built_as_a_repository(choose):
    """The preset reads and copies the function's folder, which is the build's context."""
    files = {"functions/list/requirements.txt": "six\n", "Dockerfile": ""}
    own = choose("python3.11", files, own=SOURCE)
    alone = choose("python3.11", {"requirements.txt": "six\n"}, '[build]\npreset = "python"\n')
    assert (own.dockerfile, own.context, own.shared) == ("", "functions/list", ())
    assert (alone.context, own.text) == ("", alone.text)


def test_a_folders_own_dockerfile(choose):
    """It is found in the folder and copies from it, whatever [build] says of the repository."""
    files = {"functions/list/dockerfile": "", "functions/list/docker/x": "", "Other": ""}
    more = '[build]\ndockerfile = "Other"\ncontext = "functions"\ntarget = "t"\n'
    found = choose("python3.11", files, more, own='source = "./functions/list/"')
    assert found == Recipe("functions/list/dockerfile", "", "/app", "functions/list")
    found = choose("python3.11", {}, more, own=f'{SOURCE}\ndockerfile = "docker/x"')
    assert found == Recipe("functions/list/docker/x", "", "/app", "functions/list")
    assert choose("python3.11", {}, more) == Recipe("Other", "", "/app", "functions", "t")
    with pytest.raises(
        UserError, match=r"functions/list/none is not in .*: \[functions\.F\] needs"
    ):
        choose("python3.11", {}, more, own=f'{SOURCE}\ndockerfile = "none"')


def test_what_lies_beside_comes_by_include(choose):
    """Of an include that only the repository has, the files come under the same path."""
    files = {"functions/list/requirements.txt": "six\n", "shared/db.py": "", "functions/list/a": ""}
    own = f'{SOURCE}\ninclude = ["shared/", "a"]'
    found = choose("python3.11", files, own=own)
    assert (found.context, found.shared) == ("", ("shared",))
    assert "COPY functions/list/requirements.txt ./\n" in found.text
    assert found.text.endswith("COPY functions/list/ /app/\nCOPY shared /app/shared\n")


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("none", "none is not a folder with files in commit abc1234"),
        ("link", "link is not a folder with files"),
        ("link/ssl", "link/ssl is not a folder with files"),
        ("a file", "a file is not a folder with files"),
    ],
)
def test_a_source_is_a_folder_of_the_repository(choose, tmp_path: Path, source: str, why: str):
    """Neither a link, nor a file, nor what isn't there."""
    (tmp_path / "link").symlink_to("/etc")
    with pytest.raises(UserError, match=why):
        choose("python3.11", {"a file": ""}, own=f'source = "{source}"')


@pytest.mark.parametrize(
    ("preset", "runtime", "why"),
    [
        ('"python"', "nodejs20.x", "preset is 'python', and that runtime is Node.js's"),
        ('"perl"', "python3.11", "preset 'perl' is none; there are: python, nodejs, go"),
        ("false", "python3.11", "preset is false: write one"),
    ],
)
def test_a_preset_may_be_named_or_refused(choose, preset: str, runtime: str, why: str):
    """One that doesn't fit the runtime is told; false takes none."""
    with pytest.raises(UserError, match=why):
        choose(runtime, {"requirements.txt": ""}, f"[build]\npreset = {preset}\n")


def test_a_named_preset_goes_before_a_dockerfile(choose):
    """It builds although a Dockerfile is there, but for a function that names its own."""
    files = {"Dockerfile": "", "requirements.txt": "", "own": ""}
    more = '[build]\npreset = "python"\n'
    assert "FROM scratch" in choose("python3.11", files, more).text
    assert choose("python3.11", files, more, 'dockerfile = "own"').dockerfile == "own"


def test_python_with_requirements(choose):
    """Dependencies are installed in the runtime's image, cached, and lie beside the source."""
    text = choose("python3.12", {"requirements.txt": "requests==2.32\n"}).text
    assert text == (
        "# Slipway's preset for python3.12; a Dockerfile takes its place.\n"
        "FROM python:3.12-slim AS dependencies\n"
        "ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore\n"
        "WORKDIR /source\n"
        "COPY requirements.txt ./\n"
        f"{CACHED}/root/.cache/pip mkdir /packages && pip install --no-compile --target /packages"
        " --requirement requirements.txt\n"
        "\n"
        "FROM scratch\n"
        "COPY --from=dependencies /packages /app/\n"
        "COPY . /app/\n"
    )


@pytest.mark.parametrize("line", ["-r base.txt", "--requirement=base.txt", "./lib", "-e ."])
def test_requirements_that_lead_to_files_get_them(choose, line: str):
    """Where requirements name files of the repository, all of it is there."""
    assert "COPY . ./" not in choose("python3.11", {"requirements.txt": "requests"}).text
    assert "COPY . .\n" in choose("python3.11", {"requirements.txt": f"{line}\n"}).text


def test_python_without_dependencies(choose):
    """An empty requirements.txt installs nothing and needs no image."""
    text = choose("python3.11", {"requirements.txt": "# none\n\n"}).text
    assert text.splitlines()[1:] == ["FROM scratch", "COPY . /app/"]


def test_python_with_a_uv_lock(choose):
    """What uv.lock says is installed, without the project itself and its development tools."""
    files = {"pyproject.toml": "[project]\nname = 'x'\nversion = '1'\n", "uv.lock": ""}
    text = choose("python3.13", files).text
    assert "FROM python:3.13-slim AS dependencies" in text
    assert "COPY pyproject.toml uv.lock ./" in text
    assert "uv export --frozen --no-dev" in text
    assert f"pip install {pins.UV}\n" in text
    files["pyproject.toml"] += "[tool.uv.workspace]\nmembers = ['a']\n"
    assert "COPY . .\n" in choose("python3.13", files).text


def test_python_with_a_pyproject(choose):
    """Its dependencies are installed as they stand there, out of any shell's reach."""
    project = "[project]\nname = 'x'\nversion = '1'\ndependencies = ['a>=1; rm -rf /', 'b']\n"
    text = choose("python3.11", {"pyproject.toml": project}).text
    assert '"--target", "/packages", "--", "a>=1; rm -rf /", "b"]' in text


@pytest.mark.parametrize(
    ("line", "whole"),
    [
        ("libs/my", True),
        ("wheels/x-1.0-py3-none-any.whl", True),
        ("x-1.0.tar.gz", True),
        ("--find-links wheels", True),
        ("-f wheels", True),
        ("six==1.16.0 ; python_version < '3/4'", False),
        ("x @ https://example.com/x.whl", False),
        ("--extra-index-url https://example.com/simple", False),
    ],
)
def test_paths_need_no_dot(choose, line: str, whole: bool):
    """What pip takes for a path or an archive of the repository gets the files (D14)."""
    text = choose("python3.11", {"requirements.txt": f"{line}\n"}).text
    assert ("COPY . .\n" in text) is whole


@pytest.mark.parametrize(
    ("runtime", "files", "install"),
    [
        ("python3.11", {"requirements.txt": "six"}, "--requirement"),
        ("python3.11", {"uv.lock": "", "pyproject.toml": ""}, "uv export"),
        ("nodejs20.x", {"package.json": "{}", "yarn.lock": ""}, "yarn install"),
        ("provided.al2023", {"go.mod": "go 1.22\nrequire a v1\n"}, "go mod download"),
    ],
)
def test_arguments_come_before_the_install(choose, runtime: str, files, install: str):
    """Every preset declares [build] args where its package manager sees them (D10)."""
    more = '[build]\nargs = { PIP_INDEX_URL = "x" }\n'
    text = choose(runtime, files, more).text
    assert text.index("ARG PIP_INDEX_URL") < text.index(install)
    uses_uv = "ENV UV_DEFAULT_INDEX=$PIP_INDEX_URL" in text
    assert uses_uv is (runtime == "python3.11")


def test_a_pyproject_of_tools_names_no_dependencies(choose):
    """A pyproject.toml without [project] stands beside requirements.txt."""
    files = {"pyproject.toml": "[tool.ruff]\n", "requirements.txt": "requests"}
    assert "--requirement requirements.txt" in choose("python3.11", files).text


LOCK = {"package.json": "{}", "package-lock.json": "{}"}


def test_node_with_npm(choose):
    """Production dependencies are installed from the lock, before the source comes."""
    text = choose("nodejs20.x", LOCK).text
    assert text.splitlines()[1:] == [
        "FROM node:20-slim AS build",
        "WORKDIR /source",
        "COPY package.json package-lock.json ./",
        f"{CACHED}/root/.npm npm ci --no-audit --no-fund --omit=dev && mkdir -p node_modules",
        "COPY . .",
        "",
        "FROM scratch",
        "COPY --from=build /source/ /app/",
    ]


def test_a_build_script_is_run(choose):
    """It gets the development dependencies and the build arguments; the package gets neither."""
    files = LOCK | {"package.json": '{"scripts": {"build": "tsc"}}'}
    lines = choose("nodejs20.x", files, ARGS).text.splitlines()
    steps = [line.rpartition("/root/.npm ")[2] for line in lines[4:8]]
    assert steps == [
        "COPY package.json package-lock.json ./",
        "npm ci --no-audit --no-fund && touch /installed",
        "COPY . .",
        "RUN npm run build",
    ]
    assert lines[3] == "ARG ENVIRONMENT"
    assert " && npm prune --omit=dev --ignore-scripts --no-audit --no-fund \\" in lines


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"npm-shrinkwrap.json": "{}"}, "npm ci"),
        ({"pnpm-lock.yaml": ""}, "pnpm@9\n"),
        (
            {"pnpm-lock.yaml": "", "package.json": '{"packageManager": "pnpm@8.6.1"}'},
            "pnpm@8.6.1\n",
        ),
        ({"pnpm-lock.yaml": ""}, "--config.node-linker=hoisted --prod"),
        ({"yarn.lock": ""}, "yarn install --frozen-lockfile"),
        ({"yarn.lock": "", ".yarnrc.yml": ""}, "yarn workspaces focus --all --production"),
        ({"yarn.lock": "", "package.json": '{"packageManager": "yarn@4.1.0"}'}, "corepack enable"),
    ],
)
def test_the_lock_file_names_the_package_manager(choose, files: dict[str, str], said: str):
    """Each lock file is installed with its own tool, in the version that package.json names."""
    text = choose("nodejs22.x", {"package.json": "{}"} | files).text
    assert said in text
    assert "--mount=type=cache" in text


@pytest.mark.parametrize(
    "package",
    [
        '{"workspaces": ["a"]}',
        '{"dependencies": {"a": "file:../a"}}',
        '{"scripts": {"postinstall": "x"}}',
    ],
)
def test_what_installs_from_the_source_gets_it_first(choose, package: str):
    """Workspaces, local dependencies and install scripts need all files."""
    lines = choose("nodejs20.x", LOCK | {"package.json": package}).text.splitlines()
    assert lines[3] == "COPY . ."
    assert lines.count("COPY . .") == 1


def test_go(choose):
    """A static `bootstrap`, the same bytes each time, by the version that go.mod names."""
    files = {"go.mod": "module x\n\ngo 1.22.1\n\nrequire a v1\n", "go.sum": ""}
    text = choose("provided.al2023", files, '[build]\npath = "/out"\n').text
    assert "FROM golang:1.22 AS build" in text
    assert "COPY go.mod go.sum ./" in text
    assert f"{CACHED}/go/pkg/mod go mod download" in text
    assert "CGO_ENABLED=0 go build -trimpath -buildvcs=false" in text
    assert text.endswith("FROM scratch\nCOPY --from=build /out/bootstrap /out/bootstrap\n")


@pytest.mark.parametrize(
    ("files", "text"),
    [
        ({"go.mod": "module x\ngo 1.19\n"}, "golang:1.19"),
        ({"go.mod": "module x\ngo 1.21\ntoolchain go1.23.4\nrequire a v1\n"}, "golang:1.23"),
    ],
)
def test_go_without_downloads_or_with_a_toolchain(choose, files: dict[str, str], text: str):
    """What needs no module downloads none; a toolchain goes before the language's version."""
    found = choose("provided.al2023", files).text
    assert text in found
    assert ("go mod download" in found) == ("require" in files["go.mod"])


@pytest.mark.parametrize(
    ("runtime", "files", "why"),
    [
        (
            "python3.11",
            {},
            "looked for uv.lock, poetry.lock, pdm.lock, Pipfile.lock, pylock.toml, requirem",
        ),
        (
            "python3.11",
            {"requirements.txt": "", "uv.lock": ""},
            "both requirements.txt and uv.lock",
        ),
        (
            "python3.11",
            {"requirements.txt": "", "pyproject.toml": "[project]\ndependencies = ['x']\n"},
            "both requirements.txt and [project]",
        ),
        ("python3.11", {"uv.lock": ""}, "uv.lock needs its pyproject.toml"),
        ("python3.11", {"pyproject.toml": "["}, "pyproject.toml can't be read"),
        (
            "python3.11",
            {"uv.lock": "", "poetry.lock": "", "pyproject.toml": ""},
            "uv.lock and poetry.lock are lock files of different package managers: keep one",
        ),
        (
            "python3.11",
            {"requirements.txt": "", "pdm.lock": "", "pyproject.toml": "[project]\n"},
            "both requirements.txt and pdm.lock",
        ),
        ("python3.11", {"Pipfile.lock": ""}, "Pipfile.lock needs its Pipfile"),
        ("nodejs20.x", {"requirements.txt": ""}, "looked for package.json, found none; requirem"),
        ("nodejs20.x", {"package.json": "{}"}, "looked for npm-shrinkwrap.json, package-lock.json"),
        ("nodejs20.x", {**LOCK, "yarn.lock": ""}, "package-lock.json and yarn.lock"),
        ("nodejs20.x", {"package.json": "[]", "yarn.lock": ""}, "not an object"),
        ("provided.al2023", {}, "looked for go.mod"),
        ("provided.al2023", {"go.mod": "module x\n"}, "go.mod has no line"),
        ("java21", {}, "there are presets for Python (python3.13), Node.js (nodejs22.x), Go"),
        ("java21", {"pom.xml": ""}, "pom.xml is there, and Java has no preset: write a Dockerfile"),
        ("java21", {"build.gradle.kts": ""}, "build.gradle.kts is there, and Java or Kotlin has"),
        ("dotnet8", {"src/x": "", "Api.csproj": ""}, "Api.csproj is there, and .NET has no preset"),
        ("ruby3.3", {"Gemfile": ""}, "Gemfile is there, and Ruby has no preset"),
        ("provided.al2023", {"Cargo.toml": ""}, "looked for go.mod, found none; Cargo.toml is"),
        ("python3.11", {"package.json": ""}, 'is the runtime rather Node.js\'s, "nodejs22.x"?'),
    ],
)
def test_no_match_and_ambiguity_are_told(choose, runtime: str, files: dict[str, str], why: str):
    """The error names the function, its runtime and what was looked for or is too much."""
    with pytest.raises(UserError) as caught:
        choose(runtime, files)
    text = str(caught.value)
    assert text.startswith(
        f"Dockerfile is not in commit abc1234, and no preset does for F ({runtime}): "
    )
    assert why in text


def test_a_path_that_needs_quoting_is_refused(choose):
    """A build path could otherwise be read as something else in the Dockerfile."""
    with pytest.raises(UserError, match=r"\[build\] path '/a \$b'"):
        choose("python3.11", {"requirements.txt": ""}, '[build]\npath = "/a $b"\n')


def test_links_are_not_followed(choose, tmp_path: Path):
    """A manifest that is a link out of the repository is refused, not read."""
    (tmp_path / "requirements.txt").symlink_to("/etc/passwd")
    with pytest.raises(UserError, match="not a regular file"):
        choose("python3.11", {})


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_the_page_has_each_preset(preset):
    """A row of the documentation's table is what the table of presets says."""
    page = (Path(__file__).parents[2] / "docs" / "building.md").read_text()
    row = f"| `{preset.such_as}` and the like | {preset.language} | {preset.image} |"
    assert f"{row} {preset.counts} |" in page
    assert preset.serves(preset.such_as) is not None


def test_the_language_that_is_there_is_named(tmp_path):
    """Without a runtime, the one of the files' own language is proposed."""
    (tmp_path / "package.json").write_text("{}")
    with pytest.raises(UserError, match=r'such as runtime = "nodejs22\.x"'):
        recipe(parse("[functions.F]\n"), "F", Folder(tmp_path), "commit 1234567")


def test_a_folders_names_are_not_those_behind_a_link(tmp_path):
    """Neither a link nor what lies behind one is listed or there."""
    (tmp_path / "out").symlink_to("/etc")
    files = Folder(tmp_path)
    assert files.names() == ("out",)
    assert files.names("out") == files.names("out/ssl") == files.names("none") == ()
    assert (files.exists("out"), files.exists("out/passwd")) == (True, False)
    assert Below(files, "a").exists("") is False


class Counting(Folder):
    """A folder's files, and how often they were asked for."""

    asked = 0

    def exists(self, path: str) -> bool:
        """Whether there is anything of that path."""
        self.asked += 1
        return super().exists(path)

    def read(self, path: str) -> bytes | None:
        """The bytes of a file."""
        self.asked += 1
        return super().read(path)

    def names(self, folder: str = "") -> Sequence[str]:
        """The names in a folder."""
        self.asked += 1
        return super().names(folder)


@pytest.mark.parametrize(
    ("runtime", "files"),
    [("nodejs20.x", LOCK), ("python3.11", {"requirements.txt": "six"}), ("python3.11", {})],
    ids=["node", "python", "dockerfile"],
)
def test_many_functions_ask_for_little(tmp_path, runtime: str, files: dict[str, str]):
    """Each question is a git process: 100 functions of one folder cost no more than one."""
    for name, text in (files or {"Dockerfile": ""}).items():
        (tmp_path / name).write_text(text)
    table = "".join(
        f'[functions.F{number}]\nruntime = "{runtime}"\nhandler = "f{number}.run"\n'
        for number in range(100)
    )
    counting = Counting(tmp_path)
    assert len(recipes(parse(table), counting, "commit 1234567")) == 100
    assert counting.asked < 30


def test_a_preset_needs_a_runtime_to_be_chosen_by(tmp_path):
    """Without a Dockerfile and without a runtime, the error says what to add."""
    pipeline = parse("[functions.F]\n")
    with pytest.raises(UserError, match=r"\[functions\.F\] names no runtime.*add one"):
        recipe(pipeline, "F", Folder(tmp_path), "commit 1234567")
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    assert recipe(pipeline, "F", Folder(tmp_path), "commit 1234567").dockerfile == "Dockerfile"
