"""A repository's pyproject.toml: what it says of itself and of its dependencies."""

import functools
import re
from typing import Any

from config import toml
from config.toml import ConfigError
from workers.docker.presets.files import has
from workers.docker.presets.preset import Order
from workers.ledger.model.errors import UserError

_RUNS = re.compile(r"[-_.]+")
# Of a name that needs no quoting anywhere.
_NAME = re.compile(r"[A-Za-z0-9._-]{1,200}")
# A dependency that leads to other files of the repository.
_LOCAL = re.compile(r"\bpath\s{0,9}=|file:|\bworkspace\b")


class Project:
    """What pyproject.toml holds; nothing where there is none."""

    def __init__(self, raw: bytes | None) -> None:
        self._text = "" if raw is None else _decoded(raw)
        self._all = _table(self._text) if raw is not None else {}
        self._project = _inner(self._all, "project")

    @property
    def is_one(self) -> bool:
        """Whether it has [project]."""
        return "project" in self._all

    @functools.cached_property
    def leads_elsewhere(self) -> bool:
        """Whether dependencies, or uv's own sources, lie in the repository itself."""
        uv = _inner(_inner(self._all, "tool"), "uv")
        return "sources" in uv or bool(_LOCAL.search(self._text))

    @property
    def is_workspace(self) -> bool:
        """Whether it is the root of uv's workspace."""
        return "workspace" in _inner(_inner(self._all, "tool"), "uv")

    @property
    def is_dynamic(self) -> bool:
        """Whether its build backend knows its dependencies, and not the file."""
        dynamic = self._project.get("dynamic")
        return isinstance(dynamic, list) and "dependencies" in dynamic

    @functools.cached_property
    def dependencies(self) -> list[str]:
        """What [project] names.

        Raises:
            UserError: it is no list of texts.
        """
        wanted = self._project.get("dependencies", [])
        if not isinstance(wanted, list) or not all(isinstance(one, str) for one in wanted):
            raise UserError("pyproject.toml's dependencies are not a list of texts")
        return wanted

    @property
    def is_package(self) -> bool:
        """Whether it can be built and installed itself."""
        poetry = _inner(_inner(self._all, "tool"), "poetry")
        return "build-system" in self._all and poetry.get("package-mode") is not False

    @property
    def module(self) -> str:
        """The folder that its name gives; nothing without a name."""
        poetry = _inner(_inner(self._all, "tool"), "poetry")
        name = self._project.get("name") or poetry.get("name")
        plain = name if isinstance(name, str) and _NAME.fullmatch(name) else ""
        return _RUNS.sub("_", plain).lower()


@functools.lru_cache(2)  # of many functions it is the same
def project(raw: bytes | None) -> Project:
    """What the bytes of pyproject.toml say; nothing where there are none.

    Raises:
        UserError: they can't be read.
    """
    return Project(raw)


def is_installed(order: Order, about: Project) -> bool:
    """Whether imports need the project itself: it is a package, and its modules lie elsewhere."""
    if not about.is_package:
        return False
    module = about.module
    in_src = bool(module) and order.files.exists(f"src/{module}")
    return in_src or not _there(order, "")


def loses_src(order: Order) -> bool:
    """Whether the handler is found only with `src` taken off."""
    return order.files.exists("src") and not _there(order, "") and _there(order, "src/")


def _there(order: Order, below: str) -> bool:
    """Whether the handler's module lies below a folder; yes where no handler is known."""
    module = order.handler.rpartition(".")[0].replace(".", "/")
    if not re.fullmatch(r"[A-Za-z0-9_/-]{1,300}", module) or module.startswith("/"):
        return not below
    return has(order.files, f"{below}{module}.py") or has(
        order.files, f"{below}{module}/__init__.py"
    )


def _decoded(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise UserError(f"pyproject.toml can't be read: {error.reason}") from None


def _table(text: str) -> dict[str, Any]:
    try:
        return toml.table(text, "pyproject.toml")
    except ConfigError as error:
        raise UserError(f"pyproject.toml can't be read: {error}") from None


def _inner(table: dict[str, Any], key: str) -> dict[str, Any]:
    value = table.get(key)
    return value if isinstance(value, dict) else {}
