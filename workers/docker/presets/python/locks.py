"""Python's lock files: each is read by its own manager's exporter, inside the build."""

from collections.abc import Callable
from typing import NamedTuple

from workers.docker.presets import pins
from workers.ledger.model.errors import UserError

EXPORTED = "/requirements.txt"


class Lock(NamedTuple):
    """A lock file, the manifest it belongs to, and the manager's tools and words.

    `export` leaves what is locked for production in `exported`.
    """

    file: str
    manifest: str
    tools: tuple[str, ...]
    export: str
    exported: str = EXPORTED


UV_LOCK = Lock(
    "uv.lock",
    "pyproject.toml",
    (),
    f"uv export --frozen --no-dev --no-editable --no-emit-project --quiet --output-file {EXPORTED}",
)
LOCKS = (
    UV_LOCK,
    Lock(
        "poetry.lock",
        "pyproject.toml",
        pins.POETRY,
        f"poetry export --only main --format requirements.txt --output {EXPORTED}",
    ),
    Lock(
        "pdm.lock",
        "pyproject.toml",
        pins.PDM,
        f"pdm lock --check && pdm export --prod --format requirements --output {EXPORTED}",
    ),
    Lock(
        "Pipfile.lock",
        "Pipfile",
        pins.PIPENV,
        f"pipenv requirements --hash > {EXPORTED}",
    ),
    Lock("pylock.toml", "", (), "", exported="pylock.toml"),
)
# What they would else ask or look for; none makes an environment for an export.
ENVIRONMENT = (
    "ENV PIPENV_IGNORE_VIRTUALENVS=1 PIPENV_NOSPIN=1 PDM_CHECK_UPDATE=0 POETRY_NO_INTERACTION=1"
)


def lock(exists: Callable[[str], bool]) -> Lock | None:
    """The lock file of a folder, if it has one.

    Raises:
        UserError: it has those of two managers.
    """
    found = [one for one in LOCKS if exists(one.file)]
    if len(found) > 1:
        names = " and ".join(one.file for one in found)
        raise UserError(f"{names} are lock files of different package managers: keep one")
    return found[0] if found else None
