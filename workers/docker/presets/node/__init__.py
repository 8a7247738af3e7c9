"""The preset for Node.js: dependencies by npm's, pnpm's or yarn's lock file."""

import functools
import json
import re
from collections.abc import Callable
from typing import Any

from workers.docker.presets.files import Files
from workers.docker.presets.node import typescript
from workers.docker.presets.node.managers import LOCKS, Manager, manager
from workers.docker.presets.preset import Order, Preset
from workers.ledger.model.errors import UserError

_HOOKS = ("preinstall", "install", "postinstall", "prepublish", "preprepare", "prepare")
_DEPENDENCIES = ("dependencies", "devDependencies", "optionalDependencies")
_LOCAL = re.compile(r"(file|link|portal|workspace|patch):|\.{0,2}/")
_SCRIPT = re.compile(r"[A-Za-z0-9:._-]{1,100}")
# What a build writes into node_modules, such as a generated client, stays; caches don't.
_KEPT = (
    "find . -path '*/node_modules/*' ! -path '*/node_modules/.*cache/*' -newer /installed"
    " ! -name '.package-lock.json' ! -name '.yarn-*' ! -name '.modules.yaml' -type f -print0"
    " | tar -cf /made.tar --null -T -"
)
_BACK = (
    "tar -xf /made.tar && rm -rf node_modules/.cache node_modules/.vite && mkdir -p node_modules"
)


def lines(order: Order) -> list[str]:
    """The Dockerfile's lines.

    A `build` script of package.json is run, with the development dependencies.

    Raises:
        UserError: there is no package.json, no lock file, or locks of two package managers.
    """
    top = order.top or order.files
    package = _package(top.read("package.json"))
    own = _package(order.files.read("package.json")) if order.is_member else package
    lock = _lock(top.exists)
    tool = manager(lock, _asked(package.get("packageManager")), berry=top.exists(".yarnrc.yml"))
    script = _script(order, own)
    bundle = "" if script else typescript.bundled(order, own)
    if order.is_member and not bundle:
        raise UserError(
            f"the folder is a member of the workspace of {order.home}{lock}, and a preset builds"
            " one by bundling its handler: name a handler that is there, and no build script"
        )
    manifests = ["package.json", lock, *(n for n in (".npmrc", ".yarnrc.yml") if top.exists(n))]
    whole = order.is_member or _whole(package) or top.exists("pnpm-workspace.yaml")
    whole = whole or top.exists(".yarn")
    copy = order.whole() if whole else order.copied(manifests, "./")
    rest = [] if whole else [order.all(".")]
    return [
        f"FROM node:{order.version}-slim AS build",
        *tool.setup,
        "WORKDIR /source",
        *order.declared(),
        copy,
        *_steps(tool, lock, rest, script or bundle, developed=_develops(package)),
        "",
        "FROM scratch",
        f"COPY --from=build {'/bundle/' if bundle else '/source/'} {order.path}/",
        "",
    ]


def _steps(tool: Manager, lock: str, rest: list[str], build: str, *, developed: bool) -> list[str]:
    everything = f"RUN {tool.mount} {tool.everything}"
    if build.startswith(typescript.PROGRAM):
        return [everything, *rest, typescript.SETUP, f"RUN {build}"]
    if not build and not developed:
        return [f"RUN {tool.mount} {tool.production} && mkdir -p node_modules", *rest]
    return [
        f"{everything} && touch /installed",
        *rest,
        *([f"RUN npm run {build}"] if build else []),
        f"RUN {tool.mount} {_KEPT} \\",
        f" && mkdir /kept && cp package.json {lock} /kept/ \\",
        f" && {tool.prune} \\",
        f" && cp /kept/* . && {_BACK}",
    ]


def _script(order: Order, package: dict[str, Any]) -> str:
    """The script of package.json that builds, if one does."""
    scripts = package.get("scripts") or {}
    if order.script is False:
        return ""
    if order.script and order.script not in scripts:
        raise UserError(f"[build] script {order.script!r} is not among package.json's scripts")
    name = order.script or "build"
    if name in scripts and not _SCRIPT.fullmatch(name):
        raise UserError(f"[build] script {name!r} is not of letters, digits, ':', '.', '_', '-'")
    return name if name in scripts else ""


def _develops(package: dict[str, Any]) -> bool:
    """Whether an installation runs scripts that may want development tools."""
    hooks = set(_HOOKS) & set(package.get("scripts") or {})
    return bool(hooks) and bool(_table(package.get("devDependencies")))


def _asked(value: object) -> str:
    return value if isinstance(value, str) else ""


@functools.lru_cache(2)  # of many functions it is the same
def _package(raw: bytes | None) -> dict[str, Any]:
    if raw is None:
        raise UserError("looked for package.json, found none")
    try:
        package = json.loads(raw)
    except ValueError as error:
        raise UserError(f"package.json can't be read: {error}") from None
    except RecursionError:
        raise UserError("package.json can't be read: it is nested too deeply") from None
    if not isinstance(package, dict) or not isinstance(package.get("scripts") or {}, dict):
        raise UserError("package.json is not an object with `scripts`")
    return package


def _lock(exists: Callable[[str], bool]) -> str:
    found = [name for name in LOCKS if exists(name)]
    if found == list(LOCKS[:2]):
        return found[0]  # npm itself goes by the shrinkwrap then
    if not found:
        raise UserError(f"looked for {', '.join(LOCKS)} beside package.json, found none")
    if len(found) > 1:
        raise UserError(f"{' and '.join(found)} are of different package managers: keep one")
    return found[0]


def _whole(package: dict[str, Any]) -> bool:
    """Whether installing needs more of the repository than its manifests."""
    values = [v for name in _DEPENDENCIES for v in _table(package.get(name)).values()]
    local = any(isinstance(value, str) and _LOCAL.match(value) for value in values)
    hooks = set(_HOOKS) & set(package.get("scripts") or {})
    return local or bool(hooks) or "workspaces" in package


def _table(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def above(files: Files) -> tuple[str, ...]:
    """A member of a workspace has its lock file above it."""
    alone = any(files.exists(name) for name in LOCKS)
    return () if alone or not files.exists("package.json") else LOCKS


NODE = Preset(
    name="nodejs",
    language="Node.js",
    runtime=re.compile(r"nodejs([0-9]{1,3})\.x"),
    such_as="nodejs22.x",
    image="`node:22-slim`",
    manifests=("package.json",),
    counts="`package.json` with `package-lock.json`, `npm-shrinkwrap.json`, `pnpm-lock.yaml` or"
    " `yarn.lock`",
    above=above,
    lines=lines,
)
