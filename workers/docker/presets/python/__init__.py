"""The preset for Python: dependencies by a lock file, requirements.txt or pyproject.toml."""

import functools
import json
import re

from workers.docker.presets import pins
from workers.docker.presets.files import Files
from workers.docker.presets.preset import Order, Preset
from workers.docker.presets.python.locks import ENVIRONMENT, LOCKS, UV_LOCK, Lock, lock
from workers.docker.presets.python.project import (
    Project,
    is_installed,
    loses_src,
    project,
)
from workers.ledger.model.errors import UserError

_PIP = "RUN --mount=type=cache,target=/root/.cache/pip"
_UV = "RUN --mount=type=cache,target=/root/.cache/uv"
_INSTALL = ("pip", "install", "--no-compile", "--target", "/packages")
_ENVIRONMENT = "ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore"
# No bytecode, and nothing in the metadata that tells one installation from another.
_UV_ENVIRONMENT = "ENV UV_LINK_MODE=copy UV_NO_INSTALLER_METADATA=1 UV_PYTHON_DOWNLOADS=never"
# A requirement that leads to other files: -r, -c, -e, -f, a path, an archive or a file URL.
_LOCAL = re.compile(
    r"-[rcef]|--(requirement|constraint|editable|find-links)|[./]|.*file:"
    r"|(?!-|\S*://)[^\s;@]*(?:/|\.(?:whl|zip|tgz|tar\.[a-z0-9]+)\b)"
)
REQUIREMENTS = "requirements.txt"
COUNTS = (
    "`uv.lock`, `poetry.lock` or `pdm.lock` with `pyproject.toml`; `Pipfile.lock` with `Pipfile`;"
    " `pylock.toml`; `requirements.txt`; `pyproject.toml` with `[project]`"
)


def lines(order: Order) -> list[str]:
    """The Dockerfile's lines.

    Raises:
        UserError: there is nothing that names the dependencies, or two files do.
    """
    about = project(order.files.read("pyproject.toml"))
    found = UV_LOCK if order.is_member else lock(order.files.exists)
    requirements = order.files.read(REQUIREMENTS)
    notes: list[str] = []
    if requirements is not None:
        found, notes = _beside(found, about)
    if found:
        if found.manifest and not order.files.exists(found.manifest):
            raise UserError(f"{found.file} needs its {found.manifest}")
        steps = _locked(order, found, about)
    elif requirements is not None:
        steps = _required(order, requirements.decode(errors="replace"))
    elif about.is_one:
        steps = _declared(order, about)
    else:
        raise UserError(
            f"looked for {', '.join(one.file for one in LOCKS)}, {REQUIREMENTS} and pyproject.toml"
            f" with [project], found none (an empty {REQUIREMENTS} says that there are no"
            " dependencies)"
        )
    return [*notes, *_stages(order, steps, about, found)]


def _beside(found: Lock | None, about: Project) -> tuple[Lock | None, list[str]]:
    """What counts beside requirements.txt, and what is said of it."""
    if found is UV_LOCK or (about.dependencies and not about.is_dynamic):
        other = found.file if found else "[project] of pyproject.toml"
        raise UserError(f"both {REQUIREMENTS} and {other} name dependencies: keep one of them")
    if found and about.is_one:
        raise UserError(f"both {REQUIREMENTS} and {found.file} name dependencies: keep one of them")
    if found:
        return None, [f"# {REQUIREMENTS} counts, and {found.file} beside it does not."]
    return None, []


def _stages(order: Order, steps: list[str], about: Project, found: Lock | None) -> list[str]:
    files = [order.all(f"{order.path}/")]
    itself: list[str] = []
    if is_installed(order, about):
        itself = _itself(order, found, copied=any(step == order.whole() for step in steps))
    elif loses_src(order):
        files.append(f"COPY {order.at}src/ {order.path}/")
    if not steps and not itself:
        return ["FROM scratch", *files, ""]
    return [
        f"FROM python:{order.version}-slim AS dependencies",
        _ENVIRONMENT,
        "WORKDIR /source",
        *_declared_arguments(order),
        *(steps or ["RUN mkdir /packages"]),
        *itself,
        "",
        "FROM scratch",
        f"COPY --from=dependencies /packages {order.path}/",
        *files,
        "",
    ]


def _declared_arguments(order: Order) -> list[str]:
    """The build arguments; uv takes pip's index for its own."""
    index = "PIP_INDEX_URL" in order.args and "UV_DEFAULT_INDEX" not in order.args
    return [*order.declared(), *(["ENV UV_DEFAULT_INDEX=$PIP_INDEX_URL"] if index else [])]


def _itself(order: Order, found: Lock | None, *, copied: bool) -> list[str]:
    """The project is installed as its build backend packs it, without its dependencies."""
    here = f"./{order.below}" if order.is_member else "."
    install = (
        f"{_UV} uv pip install --target /packages --no-deps {here} && rm -f /packages/.lock"
        if found
        else f"{_PIP} {' '.join(_INSTALL)} --no-deps {here}"
    )
    return [*([] if copied else [order.whole()]), install]


def _locked(order: Order, found: Lock, about: Project) -> list[str]:
    whole = order.is_member or about.is_workspace or about.leads_elsewhere or not found.manifest
    export = found.export
    if order.is_member:
        export = f"{export} --project {order.below}"
    elif found is UV_LOCK and about.is_workspace:
        export = f"{export} --all-packages"
    refused = f"echo '{found.file} could not be read as locked: see above' >&2; exit 1"
    deps = "" if found is UV_LOCK else " --no-deps"
    return [
        f"{_PIP} pip install {' '.join((pins.UV, *found.tools))}",
        f"{_UV_ENVIRONMENT}",
        *([ENVIRONMENT] if found.tools else []),
        order.whole() if whole else order.copied((found.manifest, found.file), "./"),
        f"{_UV} mkdir /packages \\",
        *([f" && ({export} || {{ {refused}; }}) \\"] if export else []),
        f" && uv pip install --target /packages{deps} --requirements {found.exported} \\",
        " && rm -f /packages/.lock",
    ]


@functools.lru_cache(2)  # of many functions it is the same
def _wanted(text: str) -> tuple[bool, bool]:
    """Whether requirements.txt asks for anything, and for what lies in the repository."""
    wanted = [line.strip() for line in text.splitlines()]
    wanted = [line for line in wanted if line and not line.startswith("#")]
    return bool(wanted), any(_LOCAL.match(line) for line in wanted)


def _required(order: Order, text: str) -> list[str]:
    some, whole = _wanted(text)
    if not some:
        return []
    install = " ".join(_INSTALL)
    return [
        order.whole() if whole else order.copied((REQUIREMENTS,), "./"),
        f"{_PIP} mkdir /packages && {install} --requirement {REQUIREMENTS}",
    ]


def _declared(order: Order, about: Project) -> list[str]:
    if about.is_dynamic:
        # Its build backend alone knows what it needs.
        return [order.whole(), f"{_PIP} mkdir /packages && {' '.join(_INSTALL)} ."]
    return ["RUN mkdir /packages", _command(about)] if about.dependencies else []


@functools.lru_cache(2)  # of many functions it is the same
def _command(about: Project) -> str:
    # As a JSON list no shell looks at it: `>=` stays what it is.
    return f"{_PIP} {json.dumps([*_INSTALL, '--', *about.dependencies])}"


def above(files: Files) -> tuple[str, ...]:
    """A member of a workspace has its lock file above it."""
    alone = any(files.exists(one.file) for one in LOCKS) or files.exists(REQUIREMENTS)
    return () if alone or not files.exists("pyproject.toml") else (UV_LOCK.file,)


PYTHON = Preset(
    name="python",
    language="Python",
    runtime=re.compile(r"python(3\.[0-9]{1,3})"),
    such_as="python3.13",
    image="`python:3.13-slim`",
    manifests=("pyproject.toml", REQUIREMENTS, *(one.file for one in LOCKS), "Pipfile"),
    counts=COUNTS,
    above=above,
    lines=lines,
)
