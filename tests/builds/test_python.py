"""Python's layouts and lock files: what is built is what is locked, and it can be imported."""

import pytest

from tests.builds.conftest import Shape
from tests.builds.locked import PDM, PIPFILE, POETRY, POETRY_STALE, PYLOCK, UV, UV_WORKSPACE
from workers.ledger.model.errors import UserError

pytestmark = [pytest.mark.docker, pytest.mark.timeout(900)]

F = '[functions.F]\nruntime = "python3.11"\nhandler = "app.handler"\n'
APP = "import six\n\n\ndef handler(event, context):\n    return six.__version__\n"
SAY = "import app; print(app.handler({}, None))"
PROJECT = '[project]\nname = "svc"\nversion = "1.0"\nrequires-python = ">=3.11"\n'
HATCH = '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
PACKAGED = {
    "src/svc/__init__.py": "",
    "src/svc/util.py": "X = 1\n",
    "src/svc/app.py": "import six\nfrom svc.util import X\n\n\ndef handler(e, c):\n    return X\n",
}


def test_requirements(shape: Shape):
    """What requirements.txt pins lies beside the source."""
    shape.write({"requirements.txt": "six==1.16.0\n", "app.py": APP})
    assert "six.py" in shape.build(F)["F"]
    assert shape.python(SAY) == "1.16.0"


@pytest.mark.parametrize(
    "locked", [UV, POETRY, PDM, PIPFILE, PYLOCK], ids=["uv", "poetry", "pdm", "pipenv", "pylock"]
)
def test_what_is_locked_goes_live(shape: Shape, locked: dict[str, str]):
    """A lock's own manager reads it; a newer version that the manifest allows is not taken (D2)."""
    shape.write({**locked, "app.py": APP})
    assert "six.py" in shape.build(F)["F"]
    assert shape.python(SAY) == "1.15.0"
    first = shape.made["F"].sha256
    shape.build(F, again="2")
    assert shape.made["F"].sha256 == first


def test_a_lock_that_is_not_its_manifests_is_refused_by_name(shape: Shape):
    """Nothing is installed past a lock that its manager takes for stale (D2)."""
    shape.write({**POETRY_STALE, "app.py": APP})
    with pytest.raises(UserError, match=r"poetry\.lock could not be read as locked"):
        shape.build(F)


def test_a_workspace_and_its_members(shape: Shape):
    """A member gets what it depends on, of the registry and of the repository itself (R2)."""
    shape.write(UV_WORKSPACE)
    member = f'{F}source = "functions/a"\n'
    assert {"app.py", "common/__init__.py", "six.py"} <= set(shape.build(member)["F"])
    assert shape.python(SAY) == "1.15.0 of common"
    whole = F.replace("app.handler", "functions.a.app.handler")
    assert {"functions/a/app.py", "six.py"} <= set(shape.build(whole, again="2")["F"])


@pytest.mark.parametrize("handler", ["svc.app.handler", "src.svc.app.handler"])
def test_a_packaged_project_is_installed(shape: Shape, handler: str):
    """It imports as it does on the developer's machine (D8)."""
    text = f'{PROJECT}dependencies = ["six==1.16.0"]\n{HATCH}'
    shape.write({**PACKAGED, "pyproject.toml": text})
    shape.build(F.replace("app.handler", handler))
    module = handler.rpartition(".")[0]
    assert shape.python(f"import {module} as a; print(a.handler({{}}, None))") == "1"
    assert shape.python("from importlib.metadata import version as v; print(v('svc'))") == "1.0"


def test_a_src_folder_without_a_build_system_loses_its_prefix(shape: Shape):
    """A handler that lies below src alone is at the root of the zip (D8)."""
    text = f'{PROJECT}dependencies = ["six==1.16.0"]\n'
    shape.write({**PACKAGED, "pyproject.toml": text})
    shape.build(F.replace("app.handler", "svc.app.handler"))
    assert shape.python("import svc.app as a; print(a.handler({}, None))") == "1"


def test_requirements_count_beside_a_project_that_names_none(shape: Shape):
    """Dynamic dependencies send nobody in a circle (D9)."""
    dynamic = 'dynamic = ["dependencies"]\n[tool.setuptools.dynamic]\n'
    text = f'{PROJECT}{dynamic}dependencies = {{ file = ["requirements.txt"] }}\n'
    shape.write({"pyproject.toml": text, "requirements.txt": "six==1.16.0\n", "app.py": APP})
    shape.build(F)
    assert shape.python(SAY) == "1.16.0"


def test_folders_and_wheels_of_the_repository(shape: Shape):
    """Paths that pip takes for such are there without a dot before them (D14)."""
    shape.write(
        {
            "requirements.txt": "libs/my\nsix==1.16.0\n",
            "libs/my/pyproject.toml": '[project]\nname = "my"\nversion = "1.0"\n',
            "libs/my/my.py": "X = 1\n",
            "app.py": "import my\nhandler = my.X\n",
        }
    )
    shape.build(F)
    assert shape.python("import app; print(app.handler)") == "1"


def test_an_index_that_is_an_argument_is_the_one_that_is_asked(shape: Shape):
    """[build] args are there before the install: an index that is nowhere fails it (D10)."""
    nowhere = '[build]\nargs = { PIP_INDEX_URL = "http://127.0.0.1:9/simple" }\n'
    shape.write({"requirements.txt": "six==1.16.0\n", "app.py": APP})
    with pytest.raises(Exception, match=r"127\.0\.0\.1|registry out of reach|No matching"):
        shape.build(nowhere + F)


def test_a_module_that_is_only_compiled_stays(shape: Shape):
    """Bytecode without its source is the module, and the handler finds it."""
    dockerfile = (
        "FROM python:3.11-slim AS build\nWORKDIR /app\nCOPY . .\n"
        "RUN python -m compileall -q -b util.py && rm util.py\n"
        "FROM scratch\nCOPY --from=build /app /app\n"
    )
    shape.write(
        {
            "Dockerfile": dockerfile,
            "util.py": "X = 7\n",
            "app.py": "from util import X\n\n\ndef handler(e, c):\n    return X\n",
        }
    )
    assert "util.pyc" in shape.build(F, network="none")["F"]
    assert shape.python(SAY) == "7"
