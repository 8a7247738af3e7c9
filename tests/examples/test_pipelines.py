"""Each repository of the watchlist passes its own checks and builds what it should."""

import zipfile
from contextlib import closing

import docker
import pytest

from config.pipeline import check
from tests.stand_ins.watchlist import FOLDER as WATCHLIST

pytestmark = [pytest.mark.docker, pytest.mark.soak, pytest.mark.timeout(900)]
REPOSITORIES = ("movies-loader", "movies-parser", "movies-store", "marketplace")
SHARED = [
    "node_modules/@watchlist/store/answer.mjs",
    "node_modules/@watchlist/store/index.mjs",
    "node_modules/@watchlist/store/package.json",
    "node_modules/@watchlist/store/tables.mjs",
]
PACKAGES = {
    "movies-loader": {"MoviesLoader": ["index.py", "movies.json"]},
    "movies-parser": {"MoviesParser": ["bootstrap"]},
    "movies-store": {
        "MoviesStoreListMovies": [*SHARED, "src/movies/findAll/index.mjs"],
        "MoviesStoreSearchMovie": [*SHARED, "src/movies/findOne/index.mjs"],
        "MoviesStoreViewFavorites": [*SHARED, "src/favorites/findAll/index.mjs"],
        "MoviesStoreAddToFavorites": [*SHARED, "src/favorites/insert/index.mjs"],
    },
    "marketplace": {},
}
CHECKS = {
    "movies-loader": {"quality", "unit", "coverage"},
    "movies-parser": {"format", "vet", "unit", "coverage"},
    "movies-store": {"lint", "unit", "coverage"},
    "marketplace": {"lint", "unit"},
}
# What the lint, the unit tests or the compiler of each must find.
FAULTS = {
    "movies-loader": ("index.py", b"import os\n", b"import os\nimport re\n", {"quality"}),
    "movies-parser": ("film.go", b"Year:   year", b"Year:  1 + year", {"format", "unit"}),
    "movies-store": (
        "src/movies/findOne/index.mjs",
        b"Refusal(404",
        b"Refusal(405",
        {"unit"},
    ),
    "marketplace": ("src/catalogue.js", b"const films", b"var films", {"lint"}),
}


@pytest.mark.parametrize(
    ("image", "command", "said"),
    [
        ("golang:1.19-bookworm", ["go", "version"], "go version go1.19"),
        ("node:18-slim", ["node", "--version"], "v18."),
        ("python:3.11-slim", ["python", "--version"], "Python 3.11"),
    ],
)
def test_an_image_holds_what_its_name_says(base_images, image, command, said):
    """Pulled or made from packages, a base image has that language in that version."""
    with closing(docker.DockerClient(base_images)) as client:
        answer = client.containers.run(image, command, remove=True, network_mode="none")
    assert answer.decode().startswith(said)


@pytest.mark.parametrize("name", REPOSITORIES)
def test_the_file_is_valid(name):
    """`slipway check` has nothing to say about slipway.toml."""
    assert check(WATCHLIST / name / "slipway.toml") == []


@pytest.mark.parametrize("name", REPOSITORIES)
def test_its_checks_pass(example, name):
    """All checks pass in containers without network, each with a word in the log."""
    repository = example(name)
    outcomes = repository.check()
    assert set(outcomes) == CHECKS[name]
    assert {one.exit_code for one in outcomes.values()} == {0}, "\n".join(repository.said)


@pytest.mark.parametrize("name", REPOSITORIES)
def test_its_checks_find_a_fault(example, name):
    """A fault in the code fails the check that is there for it."""
    file, good, bad, expected = FAULTS[name]
    repository = example(name)
    path = repository.source / file
    assert good in path.read_bytes()
    path.write_bytes(path.read_bytes().replace(good, bad, 1))
    outcomes = repository.check()
    failed = {one for one, outcome in outcomes.items() if outcome.exit_code}
    assert failed >= expected, "\n".join(repository.said)
    assert failed <= expected | {"coverage"}, "\n".join(repository.said)


@pytest.mark.parametrize("name", REPOSITORIES)
def test_its_packages_hold_what_runs(example, name):
    """Each function's package holds its files and nothing else, and every include took some."""
    packages = example(name).build().packages
    assert {function: names(one) for function, one in packages.items()} == PACKAGES[name]
    assert {one.unmatched for one in packages.values()} <= {()}


def names(package):
    """The files of one package."""
    with zipfile.ZipFile(package.path) as archive:
        return sorted(archive.namelist())
