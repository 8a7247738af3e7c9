"""Go's layouts: a command of several, and a library that is none."""

import pytest

from tests.builds.conftest import Shape
from workers.ledger.model.errors import UserError

pytestmark = [pytest.mark.docker, pytest.mark.timeout(900)]

F = '[functions.F]\nruntime = "provided.al2023"\nhandler = "bootstrap"\n'
MAIN = 'package main\n\nimport "example.com/x/film"\n\nfunc main() { println(film.Name) }\n'
FILES = {
    "go.mod": "module example.com/x\n\ngo 1.19\n",
    "film/film.go": 'package film\n\nconst Name = "Alien"\n',
    "cmd/list/main.go": MAIN,
    "cmd/list/defaults.env": "A=1\n",
    "lib.go": "package x\n",
}


def test_one_command_of_several(shape: Shape):
    """`source` names it; data that `include` names lies beside the binary (R13, R15)."""
    shape.write({**FILES, "cmd/save/main.go": MAIN.replace("Name)", 'Name, "saved")')})
    text = f'{F}source = "cmd/list"\ninclude = ["bootstrap", "defaults.env"]\n'
    save = text.replace("F]", "Save]").replace("list", "save")
    assert shape.build(text + save, network="none") == {
        "F": ["bootstrap", "defaults.env"],
        "Save": ["bootstrap"],
    }
    assert shape.run("python:3.11-slim", ["./bootstrap"]) == "Alien"
    assert shape.run("python:3.11-slim", ["./bootstrap"], "Save") == "Alien saved"


def test_a_library_at_the_root_is_refused(shape: Shape):
    """No archive is made of it: the commands that there are stand in the error (D6)."""
    shape.write(FILES)
    with pytest.raises(UserError, match=r"is no main package; those that are: cmd/list;"):
        shape.build(F, network="none")
