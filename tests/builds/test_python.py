"""Python's layouts and lock files: what is built is what is locked, and it can be imported."""

import pytest

from tests.builds.conftest import Shape

pytestmark = [pytest.mark.docker, pytest.mark.timeout(900)]

F = '[functions.F]\nruntime = "python3.11"\nhandler = "app.handler"\n'
APP = "import six\n\n\ndef handler(event, context):\n    return six.__version__\n"
SAY = "import app; print(app.handler({}, None))"


def test_requirements(shape: Shape):
    """What requirements.txt pins lies beside the source."""
    shape.write({"requirements.txt": "six==1.16.0\n", "app.py": APP})
    assert "six.py" in shape.build(F)["F"]
    assert shape.python(SAY) == "1.16.0"
