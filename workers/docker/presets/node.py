"""The preset for Node.js: dependencies by npm's, pnpm's or yarn's lock file."""

import json
import re
from collections.abc import Callable
from typing import Any, NamedTuple

from workers.docker.presets.preset import Order, Preset
from workers.ledger.model.errors import UserError

_LOCKS = ("npm-shrinkwrap.json", "package-lock.json", "pnpm-lock.yaml", "yarn.lock")
_HOOKS = ("preinstall", "install", "postinstall", "prepublish", "preprepare", "prepare")
_DEPENDENCIES = ("dependencies", "devDependencies", "optionalDependencies")
_LOCAL = re.compile(r"(file|link|portal|workspace|patch):|\.{0,2}/")
_OLDEST_PNPM = "9"  # reads the lock files of 8 to 10


class _Manager(NamedTuple):
    """A package manager: how it is had, and what installs everything and what production needs."""

    setup: tuple[str, ...]
    mount: str
    everything: str
    production: str


def lines(order: Order) -> list[str]:
    """The Dockerfile's lines.

    A `build` script of package.json is run, with the development dependencies.

    Raises:
        UserError: there is no package.json, no lock file, or locks of two package managers.
    """
    exists = order.files.exists
    package = _package(order.files.read("package.json"))
    lock = _lock(exists)
    manager = _manager(lock, _asked(package.get("packageManager")), berry=exists(".yarnrc.yml"))
    scripts = package.get("scripts") or {}
    manifests = ["package.json", lock, *(n for n in (".npmrc", ".yarnrc.yml") if exists(n))]
    whole = _whole(package) or exists("pnpm-workspace.yaml") or exists(".yarn")
    production = f"RUN {manager.mount} {manager.production} && mkdir -p node_modules"
    build = [
        f"RUN {manager.mount} {manager.everything}",
        *([] if whole else [order.all(".")]),
        *order.declared(),
        "RUN npm run build",
        production,
    ]
    return [
        f"FROM node:{order.version}-slim AS build",
        *manager.setup,
        "WORKDIR /source",
        order.all(".") if whole else order.copied(manifests, "./"),
        *(build if "build" in scripts else [production, *([] if whole else [order.all(".")])]),
        "",
        "FROM scratch",
        f"COPY --from=build /source/ {order.path}/",
        "",
    ]


def _asked(value: object) -> str:
    return value if isinstance(value, str) else ""


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
    found = [name for name in _LOCKS if exists(name)]
    if found == list(_LOCKS[:2]):
        return found[0]  # npm itself goes by the shrinkwrap then
    if not found:
        raise UserError(f"looked for {', '.join(_LOCKS)} beside package.json, found none")
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


def _manager(lock: str, asked: str, *, berry: bool) -> _Manager:
    pnpm = re.match(r"pnpm@([0-9]{1,4}(\.[0-9A-Za-z.-]{1,60})?)", asked)
    if lock == "pnpm-lock.yaml":
        return _pnpm(pnpm[1] if pnpm else _OLDEST_PNPM)
    if lock == "yarn.lock":
        return _berry() if berry or re.match(r"yarn@([2-9]|[1-9][0-9])", asked) else _classic()
    npm = "npm ci --no-audit --no-fund"
    return _Manager((), "--mount=type=cache,target=/root/.npm", npm, f"{npm} --omit=dev")


def _pnpm(version: str) -> _Manager:
    # Hoisted: without links into its store. Its notes in node_modules bear the time.
    install = "pnpm install --frozen-lockfile --store-dir /pnpm --config.node-linker=hoisted"
    notes = "rm -rf node_modules/.modules.yaml node_modules/.pnpm-workspace-state*.json"
    setup = "RUN --mount=type=cache,target=/root/.npm npm install --global pnpm@"
    mount = "--mount=type=cache,target=/pnpm"
    return _Manager(
        (f"{setup}{version}", "ENV CI=1"), mount, install, f"{install} --prod && {notes}"
    )


def _classic() -> _Manager:
    install = "yarn install --frozen-lockfile --non-interactive --cache-folder /yarn"
    return _Manager((), "--mount=type=cache,target=/yarn", install, f"{install} --production")


def _berry() -> _Manager:
    setup = (
        "ENV YARN_NODE_LINKER=node-modules YARN_ENABLE_GLOBAL_CACHE=1 YARN_GLOBAL_FOLDER=/yarn"
        " YARN_ENABLE_TELEMETRY=0 COREPACK_ENABLE_DOWNLOAD_PROMPT=0"
    )
    return _Manager(
        ("RUN corepack enable", setup),
        "--mount=type=cache,target=/yarn",
        "yarn install --immutable",
        "yarn workspaces focus --all --production",
    )


NODE = Preset(
    name="nodejs",
    language="Node.js",
    runtime=re.compile(r"nodejs([0-9]{1,3})\.x"),
    such_as="nodejs22.x",
    image="`node:22-slim`",
    manifests=("package.json",),
    counts="`package.json` with `package-lock.json`, `npm-shrinkwrap.json`, `pnpm-lock.yaml` or"
    " `yarn.lock`",
    lines=lines,
)
