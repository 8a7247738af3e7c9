"""The web process, wired from its settings and the operator's file."""

from flask import Flask

from config.masker import Masker
from config.server import Operator
from config.server import load as load_operator
from config.settings import Settings, settings
from config.settings.secret_key import keeps_key
from config.settings.weak_secrets import short_secrets
from service import access, api, dashboard, health, mount, problems
from service.access.proxies import Behind, Proxies
from service.api import openapi
from service.followers import MOST_FOLLOWERS, Followers
from service.web import Web
from service.webhooks import github, slack, sonarqube
from workers.ledger import Ledger
from workers.ledger.connection import hasty, listening

SMALL_BODY_BYTES = 64 * 1024


def wired(
    chosen: Settings | None = None, operator: Operator | None = None, seats: int = MOST_FOLLOWERS
) -> Flask:
    """Return the web process's application; from the environment where nothing is handed in.

    Of long answers that hold a thread, so many may be read at once as there are `seats`.
    """
    chosen = chosen or settings()
    web = Web(
        settings=chosen,
        operator=operator or load_operator(chosen.config),
        ledger=Ledger(hasty(chosen.redis_url), Masker(chosen.secrets()).mask),
        listening=listening(chosen.redis_url),
        followers=Followers(seats),
        webhook_secrets=tuple(s.get_secret_value() for s in chosen.github_webhook_secrets),
    )
    app = Flask("service", static_folder=None)
    app.secret_key = access.secret_key(web)
    app.config.update(
        MAX_CONTENT_LENGTH=SMALL_BODY_BYTES,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_NAME="slipway",
        SESSION_COOKIE_PATH=web.root or "/",
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=web.url.startswith("https:"),
    )
    app.extensions["slipway"] = web
    for room in (github, slack, sonarqube, health, openapi, api, dashboard):
        app.register_blueprint(room.blueprint)
    problems.install(app, dashboard.nowhere)
    app.jinja_env.globals["root"] = web.root
    app.jinja_env.globals["short_secrets"] = short_secrets(chosen)
    app.jinja_env.globals["keeps_key"] = keeps_key(chosen)
    if web.root:
        taken = mount.first_words(app.url_map.iter_rules())
        app.wsgi_app = mount.Mounted(app.wsgi_app, web.root, taken)  # type: ignore[method-assign]
    behind = Behind(app.wsgi_app, Proxies(chosen.trusted_proxies))
    app.wsgi_app = behind  # type: ignore[method-assign]
    return app
