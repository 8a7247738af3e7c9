"""Servers that only an authority of the operator's vouches for, asked by everything that asks."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import requests

from config import trust
from config.settings import Settings
from config.settings.values import CaBundle
from tests.notify.conftest import settings
from tests.stand_ins.tls import Tls
from workers.github.client import GitHub
from workers.ledger.model.errors import OurError, RunError
from workers.report import slack
from workers.sonar.client import Sonar
from workers.workshop import Workshop


class Upstream(BaseHTTPRequestHandler):
    """Answers everything as SonarQube, GitHub and Slack would."""

    def do_GET(self) -> None:
        """One request."""
        body = json.dumps({"valid": True, "login": "octocat", "id": 1}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815 - the name that http.server looks for

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def server(tmp_path, monkeypatch):
    """A server behind a private authority."""
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    upstream = ThreadingHTTPServer(("127.0.0.1", 0), Upstream)
    threading.Thread(target=upstream.serve_forever, daemon=True).start()
    with Tls(tmp_path / "tls") as tls:
        tls.upstream = upstream.server_address[1]
        yield tls
    upstream.shutdown()
    upstream.server_close()


def ask_sonar(url, shop):
    """SonarQube's API."""
    Sonar(url, "a-token", shop.settings.authorities).authenticate()


def ask_github(url, shop):
    """GitHub's API."""
    client = GitHub(url, token="a-token", authorities=shop.trusted)
    client.call("watchlist/movies", "asking", lambda api: api.get_user().login)


def ask_slack(url, shop):
    """Slack's incoming webhook."""
    slack.say(shop, "hello")


ASKED = [ask_sonar, ask_github, ask_slack]


def shop_for(server, tmp_path, bundle):
    """A workshop whose settings name that server."""
    chosen = settings(
        "redis://127.0.0.1:9/0",
        ca_bundle=bundle,
        data_dir=tmp_path / "data",
        slack_webhook_url=f"{server.url}/services/T/B/x",
    )
    return Workshop(chosen, None)


@pytest.mark.parametrize("ask", ASKED)
def test_who_is_not_trusted_is_told_so(server, tmp_path, ask):
    """Without the authority the error speaks of the certificate and names the variable."""
    with pytest.raises(RunError, match=f"certificate .*trusted here .*{trust.VARIABLE}"):
        ask(server.url, shop_for(server, tmp_path, None))


@pytest.mark.parametrize("ask", ASKED)
def test_the_operators_authority_is_trusted(server, tmp_path, ask):
    """With it the very same calls are answered."""
    ask(server.url, shop_for(server, tmp_path, server.authority))


@pytest.mark.parametrize("ask", ASKED)
def test_openssls_own_variable_counts_too(server, tmp_path, monkeypatch, ask):
    """SSL_CERT_FILE alone does the same."""
    monkeypatch.setenv("SSL_CERT_FILE", str(server.authority))
    ask(server.url, shop_for(server, tmp_path, None))


def test_git_gets_everybodys_authorities_too(server, tmp_path, monkeypatch):
    """A private authority replaces none: git's file has it behind all that are known."""
    monkeypatch.delenv("GIT_SSL_CAINFO", raising=False)
    assert "GIT_SSL_CAINFO" not in shop_for(server, tmp_path, None).network
    monkeypatch.setenv("GIT_SSL_CAINFO", "/another.pem")
    file = shop_for(server, tmp_path, server.authority).network["GIT_SSL_CAINFO"]
    text = Path(file).read_text()
    assert text.endswith(server.authority.read_text())
    assert text.count("BEGIN CERTIFICATE") > 50
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["authorities.pem"]


def test_a_session_that_was_not_told_trusts_nobody_else(server):
    """The trust is of those sessions alone."""
    assert trust.session(server.authority).get(server.url, timeout=5).ok
    with pytest.raises(requests.exceptions.SSLError):
        trust.session(None).get(server.url, timeout=5)


@pytest.mark.parametrize("kind", ["missing", "folder", "empty", "text", "key", "torn"])
def test_a_bundle_that_is_none_is_refused_at_start(server, tmp_path, monkeypatch, kind):
    """The complaint bears the variable's name; the path of no file is repeated."""
    path = tmp_path / "bundle.pem"
    certificate = server.authority.read_text()
    texts = {
        "empty": "",
        "text": "hello\n",
        "key": (server.authority.parent / "server.key").read_text(),
        "torn": certificate[: len(certificate) // 2],
    }
    if kind == "folder":
        path.mkdir()
    elif kind in texts:
        path.write_text(texts[kind])
    monkeypatch.setenv("SLIPWAY_CONFIG", "server.toml")
    monkeypatch.setenv("GITHUB_WEBHOOK_SECRET", "a-secret-of-github")
    monkeypatch.setenv("SLIPWAY_CA_BUNDLE", str(path))
    from config.settings import SettingsError, load

    with pytest.raises(SettingsError, match=r"^SLIPWAY_CA_BUNDLE: ") as error:
        load()
    assert str(tmp_path) not in str(error.value)
    path.rmdir() if kind == "folder" else path.unlink(missing_ok=True)
    path.write_text(certificate)
    assert load().authorities == path


def test_a_full_disk_is_the_operators_turn(server, tmp_path):
    """Where the file can't be written the error says why."""
    (tmp_path / "data").write_text("no folder")
    with pytest.raises(OurError, match="SLIPWAY_DATA_DIR"):
        _ = shop_for(server, tmp_path, server.authority).trusted


def test_the_command_says_whom_it_does_not_trust(server, monkeypatch):
    """`slipway runs` over TLS: the certificate is what is wrong, and with the bundle it is not."""
    from click.testing import CliRunner

    from service.cli import main

    monkeypatch.delenv("SLIPWAY_CA_BUNDLE", raising=False)
    said = CliRunner().invoke(main, ["runs"], env={"SLIPWAY_URL": server.url})
    assert "isn't trusted here" in said.output
    assert "SLIPWAY_CA_BUNDLE" in said.output
    trusting = {"SLIPWAY_URL": server.url, "SLIPWAY_CA_BUNDLE": str(server.authority)}
    assert "trusted" not in CliRunner().invoke(main, ["runs"], env=trusting).output


def test_the_setting_is_one_field_of_both():
    """The processes and the command read the same variable alike."""
    from config.settings.client import ClientSettings

    kinds = {cls.model_fields["ca_bundle"].annotation for cls in (Settings, ClientSettings)}
    assert kinds == {CaBundle | None}
