"""The preset for Python: dependencies by uv.lock, requirements.txt or pyproject.toml."""

import json
import re
from collections.abc import Callable
from typing import Any

from config import toml
from config.toml import ConfigError
from workers.docker.presets.preset import Order, Preset
from workers.ledger.model.errors import UserError

_PIP = "RUN --mount=type=cache,target=/root/.cache/pip"
_UV = "RUN --mount=type=cache,target=/root/.cache/uv"
_INSTALL = ("pip", "install", "--no-compile", "--target", "/packages")
_ENVIRONMENT = "ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore"
# No bytecode, and nothing in the metadata that tells one installation from another.
_UV_ENVIRONMENT = "ENV UV_LINK_MODE=copy UV_NO_INSTALLER_METADATA=1 UV_PYTHON_DOWNLOADS=never"
# A requirement that leads to other files: -r, -c, -e, a path or a file URL.
_LOCAL = re.compile(r"-[rce]|--(requirement|constraint|editable)|[./]|.*file:")


def lines(order: Order) -> list[str]:
    """The Dockerfile's lines.

    Raises:
        UserError: there is nothing that names the dependencies, or two files do.
    """
    exists, read = order.files.exists, order.files.read
    project = _pyproject(read)
    lock, requirements = exists("uv.lock"), read("requirements.txt")
    if requirements is not None and (lock or "project" in project):
        other = "uv.lock" if lock else "[project] of pyproject.toml"
        raise UserError(f"both requirements.txt and {other} name dependencies: keep one of them")
    if lock and not project:
        raise UserError("uv.lock needs its pyproject.toml")
    if lock:
        steps = _locked(order, project)
    elif requirements is not None:
        steps = _required(order, requirements.decode(errors="replace"))
    elif "project" in project:
        steps = _declared(project["project"])
    else:
        raise UserError(
            "looked for uv.lock, requirements.txt and pyproject.toml with [project], found none"
            " (an empty requirements.txt says that there are no dependencies)"
        )
    return _stages(order, steps)


def _stages(order: Order, steps: list[str]) -> list[str]:
    if not steps:
        return ["FROM scratch", order.all(f"{order.path}/"), ""]
    return [
        f"FROM python:{order.version}-slim AS dependencies",
        _ENVIRONMENT,
        "WORKDIR /source",
        *steps,
        "",
        "FROM scratch",
        f"COPY --from=dependencies /packages {order.path}/",
        order.all(f"{order.path}/"),
        "",
    ]


def _pyproject(read: Callable[[str], bytes | None]) -> dict[str, Any]:
    raw = read("pyproject.toml")
    if raw is None:
        return {}
    try:
        return toml.table(raw.decode(), "pyproject.toml")
    except UnicodeDecodeError as error:
        raise UserError(f"pyproject.toml can't be read: {error.reason}") from None
    except ConfigError as error:
        raise UserError(f"pyproject.toml can't be read: {error}") from None


def _locked(order: Order, project: dict[str, Any]) -> list[str]:
    uv = _table(_table(project.get("tool")).get("uv"))
    whole = "workspace" in uv or "sources" in uv
    export = "uv export --frozen --no-dev --no-editable --no-emit-workspace --quiet"
    return [
        f"{_PIP} pip install uv",
        _UV_ENVIRONMENT,
        order.all(".") if whole else order.copied(("pyproject.toml", "uv.lock"), "./"),
        f"{_UV} {export} --output-file /requirements.txt \\",
        " && mkdir /packages \\",
        " && uv pip install --target /packages --requirements /requirements.txt \\",
        " && rm -f /packages/.lock",
    ]


def _required(order: Order, text: str) -> list[str]:
    wanted = [line.strip() for line in text.splitlines()]
    wanted = [line for line in wanted if line and not line.startswith("#")]
    if not wanted:
        return []
    whole = any(_LOCAL.match(line) for line in wanted)
    install = " ".join(_INSTALL)
    return [
        order.all(".") if whole else order.copied(("requirements.txt",), "./"),
        f"{_PIP} mkdir /packages && {install} --requirement requirements.txt",
    ]


def _table(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _declared(project: object) -> list[str]:
    table = _table(project)
    dynamic = table.get("dynamic")
    if isinstance(dynamic, list) and "dependencies" in dynamic:
        raise UserError("pyproject.toml's dependencies are dynamic: write a requirements.txt")
    wanted = table.get("dependencies", [])
    if not isinstance(wanted, list) or not all(isinstance(one, str) for one in wanted):
        raise UserError("pyproject.toml's dependencies are not a list of texts")
    # As a JSON list no shell looks at it: `>=` stays what it is.
    command = json.dumps([*_INSTALL, "--", *wanted])
    return ["RUN mkdir /packages", f"{_PIP} {command}"] if wanted else []


PYTHON = Preset(
    name="python",
    language="Python",
    runtime=re.compile(r"python(3\.[0-9]{1,3})"),
    such_as="python3.13",
    image="`python:3.13-slim`",
    manifests=("pyproject.toml", "requirements.txt", "uv.lock"),
    counts="`uv.lock` with `pyproject.toml`; `requirements.txt`; `pyproject.toml` with `[project]`",
    lines=lines,
)
