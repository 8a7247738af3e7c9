"""The JSON Schemas say what the models say."""

import subprocess
import sys
import tomllib

import pytest
from jsonschema import Draft202012Validator

from config import pipeline, schemas, server
from tests.config.test_pipeline import DESIGN as PIPELINE
from tests.config.test_pipeline import FUNCTION
from tests.config.test_server import DESIGN as OPERATOR
from tests.config.test_server import EXAMPLE, REPOSITORY

VALIDATORS = {
    pipeline.parse: "slipway.schema.json",
    server.parse: "server.schema.json",
}


def schema(parse):
    """A validator with the schema as it is shipped."""
    text = (schemas.FOLDER / VALIDATORS[parse]).read_text()
    return Draft202012Validator(schemas.json.loads(text))


@pytest.mark.parametrize("name", schemas.generated())
def test_shipped_schemas_are_what_the_models_give(name):
    """A change of a model without `python -m config.schemas` is found here."""
    assert (schemas.FOLDER / name).read_text() == schemas.generated()[name]


def test_the_module_writes_them(tmp_path):
    """`python -m config.schemas` writes both files."""
    subprocess.run([sys.executable, "-m", "config.schemas", str(tmp_path)], check=True)
    written = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert written == schemas.generated()


@pytest.mark.parametrize("parse", VALIDATORS)
def test_they_are_schemas(parse):
    """Each is valid against the dialect that it names."""
    Draft202012Validator.check_schema(schema(parse).schema)


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        (pipeline.parse, PIPELINE),
        (pipeline.parse, FUNCTION),
        (server.parse, OPERATOR),
        (server.parse, EXAMPLE.read_text()),
    ],
)
def test_what_is_valid_is_valid_for_editors(parse, text):
    """The examples, with short and long forms, pass the model and the schema."""
    parse(text)
    schema(parse).validate(tomllib.loads(text))


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        (pipeline.parse, ""),
        (pipeline.parse, FUNCTION + "memory = 128\n"),
        (pipeline.parse, FUNCTION + "[test.checks]\n'a b' = 'x'\n"),
        (pipeline.parse, FUNCTION + "[test.checks]\na = 1\n"),
        (pipeline.parse, FUNCTION + "[sonar]\nproject = 'p'\ntimeout = '5'\n"),
        (server.parse, "environments = {}\nrepositories = []\n"),
        (server.parse, f'[environments.123]\nbranch = "x"\n{REPOSITORY}'),
        (server.parse, f"[environments.a]\nbranch = []\n{REPOSITORY}"),
        (server.parse, f'[environments.a]\nbranch = "x"\nname = "a"\n{REPOSITORY}'),
        (server.parse, f'[environments.a]\nbranch = "x"\nstrategy = "fast"\n{REPOSITORY}'),
    ],
)
def test_what_is_wrong_is_wrong_for_editors(parse, text):
    """Unknown keys, wrong names and wrong values fail the model and the schema."""
    with pytest.raises(pipeline.ConfigError):
        parse(text)
    assert not schema(parse).is_valid(tomllib.loads(text))
