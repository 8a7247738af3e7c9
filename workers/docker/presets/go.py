"""The preset for Go: one static `bootstrap` for Lambda's provided runtimes."""

import re

from workers.docker.presets.preset import Order, Preset
from workers.ledger.model.errors import UserError

_MODULES = "--mount=type=cache,target=/go/pkg/mod"
_CACHE = "--mount=type=cache,target=/root/.cache/go-build"
_VERSION = re.compile(r"^go[ \t]++([0-9]{1,4}\.[0-9]{1,4})", re.MULTILINE)
_TOOLCHAIN = re.compile(r"^toolchain[ \t]++go([0-9]{1,4}\.[0-9]{1,4})", re.MULTILINE)
_REQUIRE = re.compile(r"^require\b", re.MULTILINE)
_LOCAL = re.compile(r"=>\s*[./]")
# -trimpath, -buildvcs and the empty build id: same source, same bytes.
_BUILD = (
    "go build -trimpath -buildvcs=false -tags lambda.norpc -ldflags '-s -w -buildid='"
    " -o /out/bootstrap ."
)


def lines(order: Order) -> list[str]:
    """The Dockerfile's lines.

    Raises:
        UserError: there is no go.mod, or it names no version of Go.
    """
    exists = order.files.exists
    raw = order.files.read("go.mod")
    if raw is None:
        raise UserError("looked for go.mod, found none")
    text = raw.decode(errors="replace")
    version = _TOOLCHAIN.search(text) or _VERSION.search(text)
    if version is None:
        raise UserError("go.mod has no line such as `go 1.24`")
    vendored = exists("vendor/modules.txt") or not _REQUIRE.search(text)
    whole = vendored or exists("go.work") or bool(_LOCAL.search(text))
    sums = [name for name in ("go.sum",) if exists(name)]
    return [
        f"FROM golang:{version[1]} AS build",
        "WORKDIR /source",
        *([] if whole else [order.copied(("go.mod", *sums), "./")]),
        *([] if whole else [f"RUN {_MODULES} go mod download"]),
        order.all("."),
        *order.declared(),
        f"RUN {_MODULES} {_CACHE} CGO_ENABLED=0 {_BUILD}",
        "",
        "FROM scratch",
        f"COPY --from=build /out/bootstrap {order.path}/bootstrap",
        "",
    ]


GO = Preset(
    name="go",
    language="Go",
    runtime=re.compile(r"provided.*"),
    such_as="provided.al2023",
    image="`golang:1.24`, as `go.mod` says",
    manifests=("go.mod",),
    counts="`go.mod`",
    lines=lines,
)
