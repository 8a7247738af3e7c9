"""The REST API about the asker: user, limits, and a GitHub App's installations."""

import secrets
import time
from datetime import UTC, datetime, timedelta

from flask import Blueprint, Response, jsonify

from tests.stand_ins.github import payloads
from tests.stand_ins.github.model import LOGIN
from tests.stand_ins.github.payloads import JSON, number_of
from tests.stand_ins.github.web import body, hub, links, paged, repository

LIMIT = 5000
WINDOW_SECONDS = 3600
PERMISSIONS = {
    "contents": "read",
    "metadata": "read",
    "statuses": "write",
    "repository_hooks": "write",
    "pull_requests": "read",
}

routes = Blueprint("app", __name__)


def rate() -> JSON:
    """The rate limit; the stand-in counts, and refuses only when a fault says so."""
    used = len(hub().journal)
    reset = (int(time.time()) // WINDOW_SECONDS + 1) * WINDOW_SECONDS
    return {"limit": LIMIT, "used": used, "remaining": max(1, LIMIT - used), "reset": reset}


@routes.get("/rate_limit")
def show_rate_limit() -> Response:
    """The rate limits."""
    names = ("core", "search", "graphql", "integration_manifest", "code_search")
    return jsonify({"resources": dict.fromkeys(names, rate()), "rate": rate()})


@routes.get("/user")
def show_user() -> Response:
    """Who the token belongs to."""
    more = {"name": "The Octocat", "email": None, "created_at": "2011-01-25T18:44:36Z"}
    return jsonify(payloads.user(LOGIN, links()) | more)


@routes.get("/user/repos")
def list_own_repositories() -> Response:
    """The repositories that the token sees."""
    return paged(hub().repositories(), lambda one: payloads.repository(one, links()))


@routes.get("/installation/repositories")
def list_installed() -> Response:
    """The repositories of an installation; the stand-in's tokens see those of all owners."""
    rows = [payloads.repository(one, links()) for one in hub().repositories()]
    return jsonify({"total_count": len(rows), "repositories": rows})


@routes.get("/app/installations")
def list_installations() -> Response:
    """The App's installations, one for each owner."""
    owners = sorted({one.owner for one in hub().repositories()})
    return paged(owners, _installation)


@routes.get("/app")
def show_app() -> Response:
    """The GitHub App that asks."""
    shape = {"id": 1, "slug": "stand-in", "name": "stand-in", "permissions": PERMISSIONS}
    return jsonify(shape | {"owner": payloads.user(LOGIN, links()), "events": ["push"]})


@routes.get("/repos/<owner>/<name>/installation")
def show_installation(owner: str, name: str) -> Response:
    """The installation of the App that covers a repository."""
    repo, _ = repository(owner, name)
    return jsonify(_installation(repo.owner))


@routes.post("/app/installations/<int:number>/access_tokens")
def create_token(number: int) -> tuple[Response, int]:
    """A token of an installation, good for an hour."""
    token = f"ghs_{secrets.token_hex(18)}"
    hub().add_token(token)
    expires = datetime.now(UTC) + timedelta(hours=1)
    shape = {
        "token": token,
        "expires_at": expires.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "permissions": body().get("permissions") or PERMISSIONS,
        "repository_selection": "all",
    }
    return jsonify(shape), 201


def _installation(owner: str) -> JSON:
    number = number_of(owner)
    api = f"{links().api}/app/installations/{number}"
    return {
        "id": number,
        "account": payloads.user(owner, links()),
        "access_tokens_url": f"{api}/access_tokens",
        "repositories_url": f"{links().api}/installation/repositories",
        "html_url": f"{links().web}/organizations/{owner}/settings/installations/{number}",
        "app_id": 1,
        "app_slug": "stand-in",
        "target_id": number,
        "target_type": "Organization",
        "permissions": PERMISSIONS,
        "events": ["push", "pull_request"],
        "repository_selection": "all",
        "created_at": "2026-01-01T00:00:00Z",
        "updated_at": "2026-01-01T00:00:00Z",
        "single_file_name": None,
        "suspended_at": None,
        "suspended_by": None,
    }
