"""The preset for Go: one static `bootstrap` for Lambda's provided runtimes."""

import functools
import re
from typing import NamedTuple

from workers.docker.presets.files import Files
from workers.docker.presets.preset import Order, Preset
from workers.ledger.model.errors import UserError

MODULE = "go.mod"
_MODULES = "--mount=type=cache,target=/go/pkg/mod"
_CACHE = "--mount=type=cache,target=/root/.cache/go-build"
_VERSION = re.compile(r"^go[ \t]++([0-9]{1,4}\.[0-9]{1,4})", re.MULTILINE)
_TOOLCHAIN = re.compile(r"^toolchain[ \t]++go([0-9]{1,4}\.[0-9]{1,4})", re.MULTILINE)
_REQUIRE = re.compile(r"^require\b", re.MULTILINE)
_LOCAL = re.compile(r"=>\s*[./]")
# -trimpath, -buildvcs and the empty build id: same source, same bytes.
_BUILD = (
    "go build -trimpath -buildvcs=false -tags lambda.norpc -ldflags '-s -w -buildid='"
    " -o /out/bootstrap {package}"
)
# A library builds too, into an archive that nobody can run.
_MAIN = (
    """[ "$(go list -f '{{{{.Name}}}}' {package})" = main ] || {{ echo "{package} is no main"""
    """ package; those that are: $(go list -f '{{{{if eq .Name "main"}}}}{{{{.Dir}}}}{{{{end}}}}'"""
    """ ./... | sed 's|^/source/*||' | xargs); name one as the function's source in"""
    """ slipway.toml" >&2; exit 1; }}"""
)


def lines(order: Order) -> list[str]:
    """The Dockerfile's lines.

    Raises:
        UserError: there is no go.mod, or it names no version of Go.
    """
    top = order.top or order.files
    raw = top.read(MODULE)
    if raw is None:
        raise UserError(f"looked for {MODULE}, found none")
    module = _module(raw)
    if module.version is None:
        raise UserError(f"{MODULE} has no line such as `go 1.24`")
    vendored = top.exists("vendor/modules.txt") or not module.requires
    whole = vendored or top.exists("go.work") or module.is_local
    manifests = [f"{order.home}{name}" for name in (MODULE, "go.sum") if top.exists(name)]
    package = f"./{order.below}" if order.below else "."
    build = f"{_MAIN} && CGO_ENABLED=0 {_BUILD}".format(package=package)
    return [
        f"FROM golang:{module.version} AS build",
        "WORKDIR /source",
        *order.declared(),
        *([] if whole else [f"COPY {' '.join(manifests)} ./", f"RUN {_MODULES} go mod download"]),
        order.whole(),
        f"RUN {_MODULES} {_CACHE} {build}",
        "",
        "FROM scratch",
        f"COPY --from=build /out/bootstrap {order.path}/bootstrap",
        *(
            f"COPY {order.at}{name} {order.path}/{name}"
            for name in order.include
            if name != "bootstrap"
        ),
        "",
    ]


class _Module(NamedTuple):
    """What go.mod says: the version of Go, whether it requires modules, and any of the disk's."""

    version: str | None
    requires: bool
    is_local: bool


@functools.lru_cache(2)  # of many functions it is the same
def _module(raw: bytes) -> _Module:
    text = raw.decode(errors="replace")
    version = _TOOLCHAIN.search(text) or _VERSION.search(text)
    return _Module(version and version[1], bool(_REQUIRE.search(text)), bool(_LOCAL.search(text)))


def above(files: Files) -> tuple[str, ...]:
    """A command's folder has its module above it."""
    return () if files.exists(MODULE) else (MODULE,)


GO = Preset(
    name="go",
    language="Go",
    runtime=re.compile(r"provided.*"),
    such_as="provided.al2023",
    image="`golang:1.24`, as `go.mod` says",
    manifests=(MODULE,),
    counts="`go.mod`",
    above=above,
    lines=lines,
)
