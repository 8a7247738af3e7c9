"""The OpenAPI 3.1 document, made from the routes, their docstrings and the table of endpoints.

Source: the OpenAPI Specification 3.1.1, whose schemas are JSON Schema 2020-12.
"""

import re
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from importlib.metadata import version
from typing import Any

from flask import Flask
from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema
from werkzeug.routing import Rule

from service.api.openapi.endpoints import ENDPOINTS, JSON, Body, Endpoint
from service.api.shapes.runs import Problem

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
PAGES = "dashboard"
PROBLEM_TYPE = "application/problem+json"
API = "/api/v1/"
API_ERRORS = (401, 429, 503)
REFERENCE = "#/components/schemas/{model}"
_CONVERTED = re.compile(r"<(?:[a-z]+:)?([a-z_]+)>")


def routes(app: Flask) -> Iterator[tuple[str, Rule]]:
    """Each endpoint as people write it (`GET /runs/<run_id>`), but for the web pages."""
    for rule in app.url_map.iter_rules():
        if not rule.endpoint.startswith(PAGES):
            for method in METHODS:
                if method in (rule.methods or ()):
                    path = _CONVERTED.sub(r"<\1>", rule.rule)
                    yield f"{method} {path}", rule


def document(app: Flask, url: str) -> dict[str, Any]:
    """The document; `url` is the public URL of the web process."""
    paths: dict[str, dict[str, Any]] = {}
    for name, rule in sorted(routes(app), key=lambda found: found[0].split(" ")[1]):
        if name in ENDPOINTS:
            method = name.split(" ")[0].lower()
            path = _CONVERTED.sub(r"{\1}", rule.rule)
            paths.setdefault(path, {})[method] = _operation(app, rule, method, ENDPOINTS[name])
    return {
        "openapi": "3.1.1",
        "info": {
            "title": "Slipway",
            "version": version("slipway"),
            "summary": "A push to GitHub becomes a live AWS Lambda alias",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": url}],
        "security": [{"bearer": []}],
        "paths": paths,
        "components": {
            "schemas": _schemas(),
            "responses": {str(status): _problem(status) for status in _all_errors()},
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "session": {"type": "apiKey", "in": "cookie", "name": "slipway"},
            },
        },
    }


def _operation(app: Flask, rule: Rule, method: str, endpoint: Endpoint) -> dict[str, Any]:
    view = app.view_functions[rule.endpoint]
    inside = rule.rule.startswith(API)
    errors = sorted({*endpoint.errors, *(API_ERRORS if inside else ())})
    operation: dict[str, Any] = {
        "operationId": rule.endpoint.replace(".", "_"),
        "summary": (view.__doc__ or "").partition("\n")[0].rstrip("."),
        "tags": [rule.rule.removeprefix(API).strip("/").split("/")[0].split(".")[0]],
        "parameters": list(_parameters(rule, endpoint)),
        "responses": {
            **{str(status): _answer(status, what) for status, what in endpoint.answers.items()},
            **{str(error): {"$ref": f"#/components/responses/{error}"} for error in errors},
        },
    }
    if not inside:
        operation["security"] = []
    elif method == "get":
        operation["security"] = [{"bearer": []}, {"session": []}]
    if endpoint.body or endpoint.takes:
        operation["requestBody"] = _body(endpoint)
    return operation


def _parameters(rule: Rule, endpoint: Endpoint) -> Iterator[dict[str, Any]]:
    for name in _CONVERTED.findall(rule.rule):
        yield {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
    for name, needed in (endpoint.headers or {}).items():
        yield {"name": name, "in": "header", "required": needed, "schema": {"type": "string"}}
    if endpoint.query:
        for name, schema in _schema(endpoint.query)["properties"].items():
            yield {"name": name, "in": "query", "schema": _given(schema)}


def _given(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of a parameter that may be left out: nobody can send null in a query."""
    kinds = [kind for kind in schema.get("anyOf", ()) if kind != {"type": "null"}]
    rest = {key: value for key, value in schema.items() if key not in ("anyOf", "title")}
    if rest.get("default", ...) is None:
        del rest["default"]
    return {**kinds[0], **rest} if kinds else rest


def _body(endpoint: Endpoint) -> dict[str, Any]:
    if endpoint.body:
        return {"content": {JSON: {"schema": _ref(endpoint.body)}}}
    content = {kind: {"schema": {"type": "object"}} for kind in endpoint.takes}
    return {"required": True, "content": content}


def _answer(status: int, what: Body) -> dict[str, Any]:
    answer: dict[str, Any] = {"description": HTTPStatus(status).phrase}
    if isinstance(what, str):
        answer["content"] = {what: {"schema": {} if what == JSON else {"type": "string"}}}
    elif what is not None:
        answer["description"] = (what.__doc__ or "").partition("\n")[0]
        answer["content"] = {JSON: {"schema": _ref(what)}}
    return answer


def _problem(status: int) -> dict[str, Any]:
    content = {PROBLEM_TYPE: {"schema": _ref(Problem)}}
    return {"description": HTTPStatus(status).phrase, "content": content}


def _all_errors() -> list[int]:
    own = {error for endpoint in ENDPOINTS.values() for error in endpoint.errors}
    return sorted({*own, *API_ERRORS})


def _ref(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": REFERENCE.format(model=model.__name__)}


def _schema(model: type[BaseModel]) -> dict[str, Any]:
    return model.model_json_schema(ref_template=REFERENCE)


def _schemas() -> dict[str, Any]:
    """All that answers and bodies are made of, by name."""
    entries = ENDPOINTS.values()
    bodies = [what for one in entries for what in one.answers.values()]
    answers: set[type[BaseModel]] = {Problem}
    answers |= {what for what in bodies if what is not None and not isinstance(what, str)}
    queries = {one.query for one in entries if one.query}
    inputs = queries | {one.body for one in entries if one.body}
    wanted: list[tuple[type[BaseModel], JsonSchemaMode]] = []
    wanted += [(model, "serialization") for model in sorted(answers, key=_name)]
    wanted += [(model, "validation") for model in sorted(inputs, key=_name)]
    _, found = models_json_schema(wanted, ref_template=REFERENCE)
    schemas: dict[str, Any] = found["$defs"]
    return {
        name: schema
        for name, schema in sorted(schemas.items())
        if name not in set(map(_name, queries))
    }


def _name(model: type[BaseModel]) -> str:
    return model.__name__
