"""Node.js's package managers: what installs everything, and what leaves production's part of it."""

import re
from typing import NamedTuple

from workers.docker.presets import pins

LOCKS = ("npm-shrinkwrap.json", "package-lock.json", "pnpm-lock.yaml", "yarn.lock")
# The repository's own scripts want its development tools, which are about to go.
_UNSCRIPTED = (
    """node -e "const p=require('./package.json');delete p.scripts;"""
    """require('fs').writeFileSync('package.json',JSON.stringify(p))" && {}"""
)


class Manager(NamedTuple):
    """A package manager: how it is had, what it keeps, and its words.

    `everything` installs all that is locked, `production` what a package needs of it, and `prune`
    leaves that of everything, without the repository's own scripts; it may write over manifests.
    """

    setup: tuple[str, ...]
    mount: str
    everything: str
    production: str
    prune: str


def manager(lock: str, asked: str, *, berry: bool) -> Manager:
    """The manager of a lock file; `asked` is package.json's packageManager."""
    pnpm = re.match(r"pnpm@([0-9]{1,4}(\.[0-9A-Za-z.-]{1,60})?)", asked)
    if lock == "pnpm-lock.yaml":
        return _pnpm(pnpm[1] if pnpm else pins.PNPM)
    if lock == "yarn.lock":
        return _berry() if berry or re.match(r"yarn@([2-9]|[1-9][0-9])", asked) else _classic()
    npm = "npm ci --no-audit --no-fund"
    prune = "npm prune --omit=dev --ignore-scripts --no-audit --no-fund"
    return Manager((), "--mount=type=cache,target=/root/.npm", npm, f"{npm} --omit=dev", prune)


def _pnpm(version: str) -> Manager:
    # Hoisted: without links into its store. Its notes in node_modules bear the time.
    install = "pnpm install --frozen-lockfile --store-dir /pnpm --config.node-linker=hoisted"
    notes = "rm -rf node_modules/.modules.yaml node_modules/.pnpm-workspace-state*.json"
    setup = "RUN --mount=type=cache,target=/root/.npm npm install --global pnpm@"
    mount = "--mount=type=cache,target=/pnpm"
    production = f"{install} --prod && {notes}"
    prune = f"{_UNSCRIPTED.format(f'{install} --prod')} && {notes}"
    return Manager((f"{setup}{version}", "ENV CI=1"), mount, install, production, prune)


def _classic() -> Manager:
    install = "yarn install --frozen-lockfile --non-interactive --cache-folder /yarn"
    production = f"{install} --production"
    prune = _UNSCRIPTED.format(production)
    # Newer images of Node.js come without it.
    setup = (
        "RUN --mount=type=cache,target=/root/.npm command -v yarn > /dev/null"
        f" || npm install --global --no-audit --no-fund yarn@{pins.YARN}"
    )
    return Manager((setup,), "--mount=type=cache,target=/yarn", install, production, prune)


def _berry() -> Manager:
    setup = (
        "ENV YARN_NODE_LINKER=node-modules YARN_ENABLE_GLOBAL_CACHE=1 YARN_GLOBAL_FOLDER=/yarn"
        " YARN_ENABLE_TELEMETRY=0 COREPACK_ENABLE_DOWNLOAD_PROMPT=0"
    )
    production = "yarn workspaces focus --all --production"
    return Manager(
        ("RUN corepack enable", setup),
        "--mount=type=cache,target=/yarn",
        "yarn install --immutable",
        production,
        _UNSCRIPTED.format(production),
    )
