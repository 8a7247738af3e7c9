"""JSON Schemas of both configuration files, for editors; `python -m config.schemas` writes them."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from config.pipeline import Pipeline
from config.server import Operator
from config.toml import Document

FOLDER = Path(__file__).parent
_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def generated() -> dict[str, str]:
    """The text of each schema by its file name."""
    models: dict[str, type[Document]] = {
        "slipway.schema.json": Pipeline,
        "server.schema.json": Operator,
    }
    return {name: _text(model.model_json_schema()) for name, model in models.items()}


def write(folder: Path = FOLDER) -> None:
    """Write the schemas into a folder."""
    for name, text in generated().items():
        (folder / name).write_text(text)


def _text(schema: dict[str, Any]) -> str:
    return json.dumps({"$schema": _DIALECT, **_tidy(schema)}, indent=2) + "\n"


def _tidy(node: Any, *, names: bool = False) -> Any:  # noqa: ANN401 - any part of a schema
    """Without what TOML lacks (null) and what editors need not show; closed where names have rules.

    Args:
        node: a part of a schema.
        names: whether the keys of this part are names, not words of JSON Schema.
    """
    if isinstance(node, list):
        return [_tidy(one) for one in node]
    if not isinstance(node, Mapping):
        return node
    if names:
        return {key: _tidy(value) for key, value in node.items()}
    kept = {
        key: _tidy(value, names=key in ("properties", "patternProperties", "$defs"))
        for key, value in node.items()
        if (key, value) != ("default", None) and (key != "title" or node.get("$defs"))
    }
    if "patternProperties" in kept:
        kept["additionalProperties"] = False
    choices = [one for one in kept.pop("anyOf", []) if one != {"type": "null"}]
    if len(choices) == 1:
        return {**choices[0], **kept}
    return {**kept, "anyOf": choices} if choices else kept
