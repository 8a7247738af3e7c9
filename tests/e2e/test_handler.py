"""A handler that is not the function's, from the push to the alias."""

import pytest

from tests.e2e.conftest import PIPELINE, small

pytestmark = pytest.mark.e2e


def test_a_handler_that_the_function_does_not_have_is_no_success(world):
    """slipway.toml and the code move to app.main.handle, and the function stays where it was."""
    world.ended(world.push(small()))
    before = world.alias()
    assert before
    image = "FROM python:3.11-slim\nWORKDIR /app\nCOPY app ./app\n"
    toml = PIPELINE.replace("index.lambda_handler", "app.main.handle")
    files = {
        "index.py": None,
        "app/__init__.py": "",
        "app/main.py": "def handle(event, context):\n    return 1\n",
        "Dockerfile": image,
        "Dockerfile.test": image,
        "slipway.toml": toml.replace("import index", "import app.main"),
    }
    run = world.ended(world.push(files))
    assert (run["state"], world.alias()) == ("failed", before), world.story(run)
    assert "'app.main.handle', and the function has 'index.lambda_handler'" in run["error"]
