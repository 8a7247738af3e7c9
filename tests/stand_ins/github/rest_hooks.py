"""The REST API for webhooks and their deliveries."""

from typing import Any

from flask import Blueprint, Response, jsonify

from tests.stand_ins.github import payloads
from tests.stand_ins.github.hooks import MEDIA_TYPES
from tests.stand_ins.github.model import Delivery, Hook, now
from tests.stand_ins.github.payloads import JSON
from tests.stand_ins.github.web import (
    ApiError,
    after_cursor,
    body,
    hub,
    invalid,
    links,
    paged,
    repository,
)

MOST_HOOKS = 20

routes = Blueprint("hooks", __name__, url_prefix="/repos/<owner>/<name>/hooks")


@routes.get("")
def list_hooks(owner: str, name: str) -> Response:
    """The webhooks of a repository."""
    repo, _ = repository(owner, name)
    return paged(hub().hooks_of(repo.full_name), _shape)


@routes.post("")
def create_hook(owner: str, name: str) -> tuple[Response, int]:
    """Register a webhook and greet it with a ping."""
    repo, _ = repository(owner, name)
    given = body()
    config = _config(given)
    if not config.get("url"):
        raise invalid("Hook", "config", "Config must contain URL", "missing_field")
    known = hub().hooks_of(repo.full_name)
    if any(hook.url == config["url"] for hook in known):
        raise ApiError(
            422, "Validation Failed", [_problem("Hook already exists on this repository")]
        )
    if len(known) >= MOST_HOOKS:
        raise ApiError(
            422, "Validation Failed", [_problem('The "push" event cannot have more than 20 hooks')]
        )
    hook = hub().add_hook(
        repo.full_name,
        active=bool(given.get("active", True)),
        events=_events(given.get("events", ["push"])),
        **({"content_type": "form"} | config),
    )
    hub().later(hub().ping, hook)
    return jsonify(_shape(hook)), 201


@routes.get("/<int:number>")
def show_hook(owner: str, name: str, number: int) -> Response:
    """One webhook."""
    return jsonify(_shape(_hook(owner, name, number)))


@routes.patch("/<int:number>")
def edit_hook(owner: str, name: str, number: int) -> Response:
    """Change a webhook; a `config` without the secret takes the secret away, as GitHub warns."""
    hook, given = _hook(owner, name, number), body()
    if "config" in given:
        config: JSON = {"secret": None} | _config(given)
        if not config.get("url"):
            raise invalid("Hook", "config", "Config must contain URL", "missing_field")
        _set(hook, config)
    if "active" in given:
        hook.active = bool(given["active"])
    events = _events(given["events"]) if "events" in given else hook.events
    added, removed = given.get("add_events", []), given.get("remove_events", [])
    hook.events = [e for e in dict.fromkeys([*events, *added]) if e not in removed]
    hook.updated_at = now()
    return jsonify(_shape(hook))


@routes.delete("/<int:number>")
def delete_hook(owner: str, name: str, number: int) -> tuple[str, int]:
    """Remove a webhook."""
    del hub().hooks[_hook(owner, name, number).id]
    return "", 204


@routes.get("/<int:number>/config")
def show_config(owner: str, name: str, number: int) -> Response:
    """The configuration of a webhook."""
    return jsonify(payloads.hook_config(_hook(owner, name, number)))


@routes.patch("/<int:number>/config")
def edit_config(owner: str, name: str, number: int) -> Response:
    """Change single values of the configuration; the others stay."""
    hook = _hook(owner, name, number)
    _set(hook, _config({"config": body()}))
    return jsonify(payloads.hook_config(hook))


@routes.post("/<int:number>/pings")
def ping_hook(owner: str, name: str, number: int) -> tuple[str, int]:
    """Send a ping."""
    hub().later(hub().ping, _hook(owner, name, number))
    return "", 204


@routes.post("/<int:number>/test")
@routes.post("/<int:number>/tests")
def test_hook(owner: str, name: str, number: int) -> tuple[str, int]:
    """Send the newest push of the default branch, if the hook wants pushes."""
    hook, repo = _hook(owner, name, number), repository(owner, name)[0]
    if hook.wants("push") and hub().head(repo.full_name, repo.default_branch):
        payload = hub().push_payload(repo.full_name, repo.default_branch)
        hub().later(hub().sender.send, hook, "push", payload)
    return "", 204


@routes.get("/<int:number>/deliveries")
def list_deliveries(owner: str, name: str, number: int) -> Response:
    """The deliveries of a webhook, newest first."""
    hook = _hook(owner, name, number)
    sent = [one for one in reversed(hub().deliveries) if one.hook_id == hook.id]
    return after_cursor(sent, payloads.delivery)


@routes.get("/<int:number>/deliveries/<int:delivery>")
def show_delivery(owner: str, name: str, number: int, delivery: int) -> Response:
    """One delivery with its request and response."""
    return jsonify(payloads.whole_delivery(_delivery(_hook(owner, name, number), delivery)))


@routes.post("/<int:number>/deliveries/<int:delivery>/attempts")
def redeliver(owner: str, name: str, number: int, delivery: int) -> tuple[Response, int]:
    """Send a delivery once more, with its GUID."""
    sent = _delivery(_hook(owner, name, number), delivery)
    hub().later(hub().redeliver, sent.id)
    return jsonify({}), 202


def _shape(hook: Hook) -> JSON:
    return payloads.hook(hook, links())


def _problem(message: str) -> JSON:
    return {"resource": "Hook", "code": "custom", "message": message}


def _hook(owner: str, name: str, number: int) -> Hook:
    repo, _ = repository(owner, name)
    hook = hub().hooks.get(number)
    if hook is None or hook.repository != repo.full_name:
        raise ApiError(404, "Not Found")
    return hook


def _delivery(hook: Hook, number: int) -> Delivery:
    for one in hub().deliveries:
        if one.id == number and one.hook_id == hook.id:
            return one
    raise ApiError(404, "Not Found")


def _events(given: Any) -> list[str]:
    if not isinstance(given, list) or not all(isinstance(one, str) for one in given):
        raise invalid("Hook", "events", "events must be a list of strings", "invalid")
    return given


def _config(given: JSON) -> JSON:
    config = given.get("config") or {}
    if not isinstance(config, dict) or given.get("name", "web") != "web":
        raise invalid("Hook", "name", "name must be web and config an object", "invalid")
    known = ("url", "secret", "content_type", "insecure_ssl")
    named = {key: config[key] for key in known if key in config}
    if named.get("content_type", "form") not in MEDIA_TYPES:
        raise invalid("Hook", "content_type", "content_type must be json or form", "invalid")
    if "insecure_ssl" in named:
        named["insecure_ssl"] = str(named["insecure_ssl"])
    return named


def _set(hook: Hook, config: JSON) -> None:
    for key, value in config.items():
        setattr(hook, key, value)
