"""A real Chromium, Debian's own, that looks at a real web process."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis as redis_py
from playwright.sync_api import Browser, Page, sync_playwright
from redis import Redis

from local import packages
from local.redis import EmbeddedRedis
from tests.dashboard.worker import Work
from tests.stand_ins.slipway import SECRET, TOKEN, Slipway

NAMES = ("chromium", "chromium-browser", "google-chrome")
OPERATOR = """
[environments.sandbox]
branch = "develop"
[[repositories]]
name = "watchlist/*"
functions = ["*"]
bucket = "packages"
"""


def program(cache: Path) -> str | None:
    """A Chromium of this machine; root on Debian gets one."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None and packages.can_install():
        with packages.locked(cache / "chromium.lock"):
            packages.install(["chromium"], [], print)
        found = shutil.which("chromium")
    return found


@pytest.fixture(scope="module")
def chromium(cache: Path) -> Iterator[Browser]:
    """A browser without windows; playwright's event loop must not outlive these tests."""
    path = program(cache)
    if path is None:
        pytest.skip("no Chromium here, and only root on Debian can install one")
    with sync_playwright() as playwright:
        # Chromium refuses its sandbox to root, as whom containers and CI run.
        arguments = ["--no-sandbox", "--disable-dev-shm-usage"]
        browser = playwright.chromium.launch(executable_path=path, args=arguments)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def web_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedRedis]:
    """A Redis of the module's own."""
    with EmbeddedRedis(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture(scope="module")
def slipway(
    tmp_path_factory: pytest.TempPathFactory, web_redis: EmbeddedRedis
) -> Iterator[Slipway]:
    """The web process alone: the tests do the work."""
    environment = {
        "REDIS_URL": web_redis.url,
        "GITHUB_WEBHOOK_SECRET": SECRET,
        "GITHUB_API_URL": "http://127.0.0.1:9",
    }
    with Slipway(tmp_path_factory.mktemp("slipway"), OPERATOR, environment) as processes:
        yield processes.start("web")


@pytest.fixture
def book(web_redis: EmbeddedRedis) -> Iterator[Redis]:
    """A client of the ledger, which is empty."""
    with redis_py.Redis.from_url(web_redis.url, decode_responses=True) as client:
        client.flushall()
        yield client


@pytest.fixture
def work(book: Redis) -> Work:
    """A run that a worker has taken on."""
    work = Work(book)
    assert work.lease
    return work


class Reader:
    """Somebody who has signed in, and what their browser noticed."""

    def __init__(self, page: Page, slipway: Slipway) -> None:
        self.page = page
        self.url = slipway.url
        self.asked: list[str] = []
        self.complaints: list[str] = []
        page.on("request", lambda request: self.asked.append(request.url))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", self._said)
        page.goto(f"{self.url}/sign-in")
        page.fill("#token", TOKEN)
        page.click("button.main")

    def _said(self, message) -> None:
        if message.type == "error":
            self.complaints.append(message.text)

    def open(self, path: str) -> Page:
        """Go to a page of Slipway."""
        self.page.goto(f"{self.url}{path}")
        return self.page

    def asked_for(self, part: str) -> int:
        """How many requests had this in their address."""
        return sum(part in address for address in self.asked)


@pytest.fixture
def ann(chromium: Browser, slipway: Slipway, book: Redis) -> Iterator[Reader]:
    """Somebody at a desk."""
    with chromium.new_context(viewport={"width": 1200, "height": 800}) as context:
        yield Reader(context.new_page(), slipway)
