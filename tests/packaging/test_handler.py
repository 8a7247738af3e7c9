"""A handler's file is in its package, or the build says what is near it."""

import time

import pytest

from workers.ledger.model.errors import UserError
from workers.packaging import contents, handler
from workers.packaging.deflate import Blob

ELF = b"\x7fELF\x02\x01\x01" + bytes(9)


def judged(
    runtime: str, entry: str | None, *names: str, data: bytes = b"#!/bin/sh\n"
) -> str | None:
    """What is said of a function with these files."""
    files = {name: Blob(len(data), executable=True) for name in names}
    return handler.check("F", runtime, entry, files, lambda _blob: data)


@pytest.mark.parametrize(
    ("runtime", "entry", "name"),
    [
        ("python3.11", "app.handler", "app.py"),
        ("python3.11", "src.list.app.handler", "src/list/app.py"),
        ("python3.11", "src/list/app.handler", "src/list/app.py"),
        ("python3.11", "app.handler", "app/__init__.py"),
        ("python3.11", "app.handler", "app.cpython-311-x86_64-linux-gnu.so"),
        ("nodejs20.x", "index.handler", "index.mjs"),
        ("nodejs20.x", "src/a/index.nested.handler", "src/a/index.cjs"),
        ("nodejs20.x", "./index.handler", "index.js"),
        ("nodejs20.x", "wrapped.handler", "node_modules/wrapped/index.js"),
        ("ruby3.3", "lambda_function.Api.process", "lambda_function.rb"),
        ("java21", "example.Handler::handle", "example/Handler.class"),
        ("java21", "example.Handler::handle", "lib/all.jar"),
        ("dotnet8", "Api::Api.Function::Handle", "Api.dll"),
        ("provided.al2023", "bootstrap", "bootstrap"),
        ("provided.al2", "public/index.php", "public/index.php"),
        ("go1.x", "main", "anything"),
    ],
)
def test_what_a_runtime_would_find_is_good(runtime: str, entry: str, name: str) -> None:
    """Each runtime's own rule says which file of a package is the handler's."""
    assert judged(runtime, entry, name, "other") is None


@pytest.mark.parametrize(
    ("runtime", "entry", "name", "said"),
    [
        ("python3.11", "main.handler", "app.py", "needs 'main.py' or 'main/__init__.py'"),
        ("python3.11", "app.handler", "list/app.py", "near it: 'list/app.py'"),
        ("python3.11", "main.handler", "mian.py", "near it: 'mian.py'"),
        ("nodejs20.x", "src/creator.run", "src/creator.ts", "near it: 'src/creator.ts'"),
        ("nodejs20.x", "lambda/executor.handler", "executor.js", "near it: 'executor.js'"),
        ("nodejs20.x", "index.handler", "index.py", "'index.js' or 'index.mjs' or 'index.cjs'"),
        ("ruby3.3", "app.run", "App.rb", "needs 'app.rb'"),
        ("java21", "example.Handler", "example/Other.class", "needs 'example/Handler.class'"),
        ("provided.al2023", "bootstrap", "main", "there is no 'bootstrap' at the root"),
    ],
)
def test_what_is_not_there_is_refused(runtime: str, entry: str, name: str, said: str) -> None:
    """The error names what is wanted, what is near it, and how to go on (D5)."""
    with pytest.raises(UserError) as caught:
        judged(runtime, entry, name)
    assert said in str(caught.value)
    assert "leave `handler` out if a layer brings it" in str(caught.value)


@pytest.mark.parametrize("entry", ["/opt/nodejs/x.handler", "newrelic_lambda_wrapper.handler"])
def test_what_a_layer_brings_is_warned_of(entry: str) -> None:
    """A wrapper or a path of layers may well not be in the package."""
    said = judged("python3.11", entry, "app.py")
    assert said is not None
    assert said.startswith("warning: F: handler")
    assert "a layer of the function has to bring it" in said


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (ELF + b"\x02\x00", ""),
        (ELF + b"\x03\x00", ""),
        (ELF + b"\x01\x00", "is an object file"),
        (b"\x7fELF\x02\x02\x01" + bytes(9) + b"\x00\x02", ""),
        (b"!<arch>\n", "is an archive of a library"),
        (b"#!/bin/sh\n", ""),
        (b"package main\n", "is neither an ELF program nor a script"),
        (b"", "is neither"),
    ],
)
def test_a_bootstrap_is_a_program(data: bytes, said: str) -> None:
    """What a Go library or a forgotten compiler leaves is refused (D6)."""
    if said:
        with pytest.raises(UserError, match=said):
            judged("provided.al2023", None, "bootstrap", data=data)
    else:
        assert judged("provided.al2023", None, "bootstrap", data=data) is None


def test_a_bootstrap_is_executable() -> None:
    """The missing bit is named with its remedy."""
    files = {"bootstrap": Blob(1, executable=False)}
    with pytest.raises(UserError, match="not executable: chmod"):
        handler.check("F", "provided.al2023", "bootstrap", files, lambda _blob: b"#!")


def test_nothing_is_asked_without_a_runtime_or_handler() -> None:
    """Both keys may be left out."""
    assert judged("", "main.handler", "app.py") is None
    assert judged("python3.11", None, "app.py") is None


def test_near_names_are_found_among_very_many() -> None:
    """A package of 250,000 files takes no longer than a second or two to be judged."""
    names = [f"assets/{number:06}/a-rather-long-name.json" for number in range(250_000)]
    began = time.process_time()
    with pytest.raises(UserError):
        judged("python3.11", "main.handler", *names)
    assert time.process_time() - began < 10


def test_a_zip_in_a_zip_and_pointers_are_told() -> None:
    """They look like mistakes, and may be meant (D16)."""
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 70
    files = {"model.bin": Blob(130, executable=False), "app.py": Blob(130, executable=False)}
    heads = {id(files["model.bin"]): pointer, id(files["app.py"]): b"import os"}
    said = list(contents.odd("F", files, lambda blob: heads[id(blob)]))
    assert len(said) == 1
    assert "'model.bin' are pointers of git LFS" in said[0]
    (only,) = contents.odd("F", {"function.zip": Blob(9, executable=False)}, lambda _blob: b"PK")
    assert "'function.zip', which is a zip in the zip" in only
