"""Signing in and out, and what every answer carries."""

import re

import pytest
from redis import Redis

from config.server import parse
from local.redis import EmbeddedRedis
from service import create_app
from tests.dashboard.conftest import OPERATOR, TOKEN, Reader, settings
from tests.dashboard.worker import Work


@pytest.mark.parametrize("path", ["/", "/runs", "/runs/x", "/runs/x/live"])
def test_a_stranger_is_asked_to_sign_in(stranger: Reader, path: str) -> None:
    """Every page leads to the form, which leads back."""
    answer = stranger.get(path)
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("/sign-in?next=")


def test_signing_in_leads_back_to_the_page(stranger: Reader, redis: Redis) -> None:
    """The page that was asked for comes after the form, with its query."""
    Work(redis)
    wanted = "/runs?branch=feature%2Fx&state=queued"
    form = stranger.get(stranger.get(wanted).headers["Location"]).text
    next_page = re.search(r'name="next" value="([^"]+)"', form)[1].replace("&amp;", "&")
    answer = stranger.sign_in(next_page=next_page)
    assert (answer.status_code, answer.headers["Location"]) == (303, wanted)
    assert stranger.get(wanted).status_code == 200


@pytest.mark.parametrize("token", ["", "wrong", "ann", f"ann:{TOKEN}", "tökén", "\0"])
def test_a_wrong_token_is_refused(stranger: Reader, token: str) -> None:
    """The form comes again with 401 and says so."""
    answer = stranger.sign_in(token)
    assert answer.status_code == 401
    assert "No such token" in answer.text
    assert stranger.get("/runs").status_code == 303


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "\\\\evil.example",
        "/%0d%0aSet-Cookie:x=y\r\nX: y",
        "/runs\r\nLocation: https://evil.example",
        "javascript:alert(1)",
        "runs",
        "",
        "/\t/evil.example",
        "/" + "a" * 5000,
    ],
)
def test_signing_in_never_leads_elsewhere(stranger: Reader, elsewhere: str) -> None:
    """Anything but a path of this site becomes the list of runs."""
    answer = stranger.sign_in(next_page=elsewhere)
    assert answer.headers["Location"] == "/runs"
    assert "Set-Cookie:x" not in str(answer.headers)


def test_someone_signed_in_is_not_asked_again(ann: Reader) -> None:
    """The form leads on at once."""
    answer = ann.get("/sign-in?next=/runs/abc")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/runs/abc")


def test_signing_out_ends_the_session(ann: Reader) -> None:
    """Afterwards, pages ask again."""
    assert ann.post("/sign-out").headers["Location"] == "/sign-in"
    assert ann.get("/runs").status_code == 303


def test_a_session_ends_with_its_token(ann: Reader, redis_server: EmbeddedRedis) -> None:
    """A cookie of a token that is no longer known opens nothing."""
    changed = create_app(
        settings(redis_server.url, api_tokens="ann:another-token-of-ann"), parse(OPERATOR)
    )
    later = Reader(changed)
    cookie = ann.browser.get_cookie("slipway", domain="slipway.example")
    later.browser.set_cookie("slipway", cookie.value, domain="slipway.example")
    assert later.get("/runs").status_code == 303


def test_a_bearer_token_opens_pages(stranger: Reader) -> None:
    """Scripts may read pages as they read the API."""
    answer = stranger.get("/runs", headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200


def test_without_tokens_the_page_says_what_is_missing(
    redis: Redis, redis_server: EmbeddedRedis
) -> None:
    """An operator who has set none reads which variable it is."""
    reader = Reader(create_app(settings(redis_server.url, api_tokens=""), parse(OPERATOR)))
    page = reader.text("/sign-in")
    assert "SLIPWAY_API_TOKENS" in page
    assert "<form" not in page


@pytest.mark.parametrize("path", ["/runs", "/runs/none", "/sign-in", "/runs?state=lost"])
def test_every_page_is_guarded(ann: Reader, stranger: Reader, path: str) -> None:
    """Nothing foreign loads, frames or keeps a page; none of ours has inline code."""
    for reader in (ann, stranger):
        answer = reader.get(path)
        policy = answer.headers["Content-Security-Policy"]
        for rule in ("default-src 'none'", "script-src 'self'", "frame-ancestors 'none'"):
            assert rule in policy
        assert "unsafe" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "same-origin"
        assert "no-store" in answer.headers["Cache-Control"]
        assert not re.search(r"<script(?![^>]* src=)|<style|\sstyle=|\son\w+=", answer.text)


def test_static_files_are_kept_by_browsers(stranger: Reader) -> None:
    """Each has an address that changes with its content, and may be kept for good."""
    page = stranger.text("/sign-in")
    addresses = re.findall(r'"(/static/[0-9a-f]{12}/[\w.]+)"', page)
    assert len(addresses) == 3
    for address in addresses:
        answer = stranger.get(address)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["Cache-Control"]
        assert "max-age=31536000" in answer.headers["Cache-Control"]
        old = stranger.get(re.sub("[0-9a-f]{12}", "0" * 12, address))
        assert old.data == answer.data
        assert "immutable" not in old.headers["Cache-Control"]
    assert stranger.get("/static/0/..%2f__init__.py").status_code == 404
    assert stranger.get("/static/0/nope.css").status_code == 404
