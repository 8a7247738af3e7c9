"""A public URL with a path: every address of ours begins with it, whoever strips it."""

import re

import pytest
from redis import Redis

from config.server import parse
from local.redis import EmbeddedRedis
from service import create_app
from service.mount import Mounted
from tests.dashboard.conftest import OPERATOR, TOKEN, Reader, settings
from tests.dashboard.worker import Work

PAGES = ("/runs", "/runs?state=queued", "/environments", "/environments/sandbox")


@pytest.fixture(params=["stripped", "left"])
def below(request: pytest.FixtureRequest, redis: Redis, redis_server: EmbeddedRedis) -> Reader:
    """A browser at /tools/slipway: the proxy before Slipway strips that path, or leaves it."""
    url = "https://slipway.example/tools/slipway/"
    app = create_app(settings(redis_server.url, public_url=url), parse(OPERATOR))
    inner = app.wsgi_app

    def proxy(environ, start_response):
        assert environ["PATH_INFO"].startswith("/tools/slipway/")
        if request.param == "stripped":
            environ["PATH_INFO"] = environ["PATH_INFO"].removeprefix("/tools/slipway")
        return inner(environ, start_response)

    app.wsgi_app = proxy
    return Reader(app)


def links(text: str) -> list[str]:
    """The addresses in a page that begin at the host."""
    return re.findall(r'(?:href|src|action|formaction)="(/[^"]*)"', text)


def test_every_link_form_and_redirect_begins_with_the_path(below: Reader, redis: Redis) -> None:
    """The proxy fails the test for whatever is asked beside the path."""
    run = Work(redis).id
    first = below.get("/tools/slipway/")
    assert first.headers["Location"].startswith("/tools/slipway/sign-in?next=/runs")
    fields = {"token": TOKEN, "next": "/runs"}
    answer = below.post("/tools/slipway/sign-in", "/tools/slipway/sign-in", **fields)
    assert answer.headers["Location"] == "/tools/slipway/runs"
    assert "Path=/tools/slipway" in answer.headers["Set-Cookie"]
    for place in (*PAGES, f"/runs/{run}"):
        page = below.get(f"/tools/slipway{place}").text
        for link in links(page):
            assert link.startswith("/tools/slipway/"), place
    for link in links(page):
        if link.endswith((".css", ".js", ".svg")):
            assert below.get(link).status_code == 200
    assert 'data-root="/tools/slipway"' in page
    assert below.get(f"/tools/slipway/api/v1/runs/{run}").status_code == 200


def test_without_a_path_nothing_is_put_before_an_address(ann: Reader) -> None:
    """The links of a Slipway at its host's root are as they were."""
    assert '<html lang="en" data-root="">' in ann.text("/runs")
    assert "/runs" in links(ann.text("/runs"))


@pytest.mark.parametrize(
    ("root", "asked", "seen"),
    [
        ("/slipway", "/slipway/runs", "/runs"),
        ("/slipway", "/slipway", "/"),
        ("/slipway", "/runs", "/runs"),
        ("/slipway", "/slipways", "/slipways"),
        # The proxy has stripped it: `/runs` is the list, not the root.
        ("/runs", "/runs", "/runs"),
        ("/a%20b", "/a b/runs", "/runs"),
    ],
)
def test_the_path_is_taken_off_where_it_is(root: str, asked: str, seen: str) -> None:
    """Once, as a whole word, and not where an address of our own begins like it."""
    paths = []
    mounted = Mounted(lambda environ, _: paths.append(environ["PATH_INFO"]) or [], root, {"runs"})
    mounted({"PATH_INFO": asked}, lambda *_: None)
    assert paths == [seen]
