"""Whether what a function's handler names is in its package, by the rules of each runtime.

Sources: the runtime interface clients of AWS (aws-lambda-python-runtime-interface-client,
bootstrap.py; aws-lambda-nodejs-runtime-interface-client, UserFunction.js), and the developer
guide's pages about handlers and custom runtimes.
"""

import difflib
import posixpath
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from itertools import islice

from config.layers import LAYER, WRAPPERS
from workers.ledger.model.errors import UserError
from workers.packaging.deflate import Blob

BOOTSTRAP = "bootstrap"

_NEAR = 3
_COMPARED = 2000
_ELF_PROGRAMS = (2, 3)  # ET_EXEC, ET_DYN
_PARTS = re.compile(r"(?:^|/)(?:node_modules|[^/]+\.dist-info)/")


def check(
    function: str,
    runtime: str | None,
    handler: str | None,
    files: Mapping[str, Blob],
    head: Callable[[Blob], bytes],
) -> str | None:
    """Let a package pass that has what the handler names; a warning where a layer may bring it.

    Raises:
        UserError: it has not, and the function could not start; near names are in the text.
    """
    if not runtime:
        return None
    if runtime.startswith("provided"):
        return _program(function, handler, files, head)
    wanted = _wanted(runtime, handler, files) if handler else None
    if handler is None or wanted is None or any(one in files for one in wanted):
        return None
    missing = f"{function}: handler {handler!r} of {runtime} needs {_either(wanted)} in the package"
    module = handler.replace("/", ".").split(".")[0].lower()
    if handler.startswith(LAYER) or module.startswith(WRAPPERS):
        return f"warning: {missing}, and it is not there; a layer of the function has to bring it"
    raise UserError(f"{missing}, and it is not there{_near(wanted[0], files)}; {_REMEDY}")


_REMEDY = (
    "correct the handler, `source` or `include` in slipway.toml, or leave `handler` out if a layer"
    " brings it"
)


def _wanted(runtime: str, handler: str, files: Collection[str]) -> list[str] | None:
    """The files of which one must be there; None where that can't be told from names."""
    language = re.match(r"[a-z]*", runtime)
    rule = _RULES.get(language[0]) if language else None
    return rule(handler, files) if rule else None


def _python(handler: str, files: Collection[str]) -> list[str] | None:
    module = handler.rpartition(".")[0].replace(".", "/").strip("/")
    compiled = [name for name in files if _is_compiled(name, module)]
    return [f"{module}.py", f"{module}/__init__.py", *compiled] if module else None


def _node(handler: str, files: Collection[str]) -> list[str] | None:
    module = _module(handler)
    if any(one.startswith(f"node_modules/{module}/") for one in files):
        return None
    return [f"{module}{end}" for end in (".js", ".mjs", ".cjs", "")]


def _ruby(handler: str, files: Collection[str]) -> list[str]:
    del files
    return [f"{_module(handler)}.rb"]


def _java(handler: str, files: Collection[str]) -> list[str] | None:
    jars = any(name.endswith(".jar") for name in files)
    return None if jars else [f"{handler.partition('::')[0].replace('.', '/')}.class"]


def _dotnet(handler: str, files: Collection[str]) -> list[str] | None:
    del files
    assembly, colons, _ = handler.partition("::")
    return [f"{assembly}.dll"] if colons else None


_RULES: Mapping[str, Callable[[str, Collection[str]], list[str] | None]] = {
    "python": _python,
    "nodejs": _node,
    "ruby": _ruby,
    "java": _java,
    "dotnet": _dotnet,
}


def _module(handler: str) -> str:
    """The path up to the first dot of its last part."""
    folder, name = posixpath.split(handler)
    return posixpath.normpath(posixpath.join(folder, name.partition(".")[0]))


def _is_compiled(name: str, module: str) -> bool:
    """Whether a file is the module in native code or bytecode."""
    rest = name[len(module) :]
    return name.startswith(module) and bool(re.fullmatch(r"(\.[\w-]{1,80})?\.so|\.pyc", rest))


def _program(
    function: str,
    handler: str | None,
    files: Mapping[str, Blob],
    head: Callable[[Blob], bytes],
) -> str | None:
    blob = files.get(BOOTSTRAP)
    if blob is None:
        if handler == BOOTSTRAP:
            why = f"{function}: there is no {BOOTSTRAP!r} at the root of the package"
            raise UserError(f"{why}{_near(BOOTSTRAP, files)}; {_REMEDY}")
        return None
    if not blob.executable:
        raise UserError(f"{function}: {BOOTSTRAP!r} is not executable: chmod +x it in the build")
    if what := _no_program(head(blob)):
        raise UserError(
            f"{function}: {BOOTSTRAP!r} is {what}, which can't be started: build a program"
        )
    return None


def _no_program(data: bytes) -> str:
    """What a file is that no machine starts; nothing for what may be a program."""
    if data.startswith(b"!<arch>"):
        return "an archive of a library"
    if data.startswith(b"\x7fELF"):
        kind = int.from_bytes(data[16:18], "little" if data[5:6] != b"\2" else "big")
        return "" if kind in _ELF_PROGRAMS else "an object file"
    if data.startswith(b"#!"):
        return ""
    return "neither an ELF program nor a script with a `#!` line"


def _either(wanted: list[str]) -> str:
    return " or ".join(repr(one) for one in wanted[:_NEAR] if one)


def _near(wanted: str, files: Collection[str]) -> str:
    """The names that may have been meant, in words."""
    base = posixpath.basename(wanted)
    same = list(islice(_ending(base, files), _NEAR))
    own = islice((name for name in files if not _PARTS.search(name)), _COMPARED)
    near = same or difflib.get_close_matches(wanted, own, _NEAR)
    return f"; near it: {', '.join(map(repr, near))}" if near else ""


def _ending(base: str, files: Collection[str]) -> Iterator[str]:
    """Files of the same name elsewhere, or of the same name in TypeScript."""
    typed = f"{base.rpartition('.')[0]}.ts"
    for name in files:
        if posixpath.basename(name) in (base, typed) and not _PARTS.search(name):
            yield name
