"""TypeScript without a build script: the handler's source is bundled by esbuild."""

import re
from typing import Any

from workers.docker.presets import pins
from workers.docker.presets.files import has
from workers.docker.presets.preset import Order

PROGRAM = "esbuild "
SETUP = (
    "RUN --mount=type=cache,target=/root/.npm npm install --global --no-audit --no-fund"
    f" esbuild@{pins.ESBUILD}"
)
_SOURCES = (".ts", ".mts", ".cts", ".tsx")
_SCRIPTS = (".js", ".mjs", ".cjs")
_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._/-]{0,300}")
_FIRST_WITH_SDK_3 = 18
# CommonJS modules that a bundle of modules holds still ask for `require`.
_BANNER = "import{createRequire as r}from'node:module';const require=r(import.meta.url);"


def bundled(order: Order, package: dict[str, Any]) -> str:
    """The command that bundles the handler into /bundle; nothing where it need not be.

    Of a workspace's member plain JavaScript is bundled too: what it imports lies elsewhere.
    """
    module = order.handler.rpartition(".")[0]
    if not _PLAIN.fullmatch(module) or ".." in module.split("/"):
        return ""
    scripts = [f"{module}{end}" for end in _SCRIPTS if has(order.files, f"{module}{end}")]
    sources = [f"{module}{end}" for end in _SOURCES if has(order.files, f"{module}{end}")]
    found = (scripts if order.is_member else []) or ([] if scripts else sources)
    if not found:
        return ""
    modules = package.get("type") == "module" or found[0].endswith((".mts", ".mjs"))
    sdk = ("@aws-sdk/*", "@smithy/*") if int(order.version) >= _FIRST_WITH_SDK_3 else ("aws-sdk",)
    words = (
        f"{PROGRAM}{order.below + '/' if order.below else ''}{found[0]}",
        f"--bundle --platform=node --target=node{order.version} --sourcemap",
        f"--format={'esm' if modules else 'cjs'}",
        *([f'--banner:js="{_BANNER}"'] if modules else []),
        *(f"'--external:{name}'" for name in sdk),
        f"--outfile=/bundle/{module}.{'mjs' if modules else 'js'}",
    )
    return " ".join(words)
