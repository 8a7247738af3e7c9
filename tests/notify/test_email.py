"""The addresses of an environment get one email about each deploy's end, with the whole log."""

import base64
import gzip
import json

import pytest

from local.ports import free_port
from tests.notify.conftest import OPERATOR, PUBLIC_URL, TEAM, Office, settings
from tests.orders import COMMIT
from tests.stand_ins.smtp import PASSWORD, Smtp
from workers.ledger import keys
from workers.workshop import Workshop


def ended(office, state="succeeded", why="", **changes):
    """A deploy that has ended and was reported; its run's id."""
    run_id = office.start(office.accept(**changes))
    office.end(run_id, state, why)
    office.report(run_id)
    return run_id


def body(mail, kind="plain"):
    """The text or the HTML of a mail."""
    return mail.message.get_body((kind,)).get_content()


def test_a_success_is_mailed_with_its_log(office):
    """Subject, stages with their times, versions, the link and the whole log, to all addresses."""
    run_id = ended(office)
    (mail,) = office.mail.mails
    assert mail.sender == "deploys@example.com"
    assert mail.recipients == TEAM
    assert mail.message["To"] == ", ".join(TEAM)
    assert mail.message["Subject"] == (
        f"[Slipway] octo/movies-loader: deploy of {COMMIT[:7]} to production succeeded"
    )
    text = body(mail)
    assert f"{COMMIT} Load the films <!channel> & more" in text
    assert "build     succeeded  1.5 s  build done" in text
    assert "MoviesLoader  7  production  aGFzaA==" in text
    assert f"{PUBLIC_URL}/runs/{run_id}" in text
    assert mail.attachment() == (f"{run_id}.log", office.log(run_id).encode())


def test_the_html_says_the_same(office):
    """Those who read HTML see the same, and nobody's commit becomes a part of the page."""
    run_id = ended(office, "failed", "unit failed: <script>alert(1)</script>")
    page = body(office.mail.mails[0], "html")
    assert "<script>" not in page
    assert "test: unit failed: &lt;script&gt;" in page
    assert "<td>test</td><td>failed</td><td>1.5 s</td>" in page
    assert f'<a href="{PUBLIC_URL}/runs/{run_id}">' in page
    assert "Load the films &lt;!channel&gt; &amp; more" in page


def test_a_failure_is_mailed_with_its_reason(office):
    """Subject and text name the result, the stage and the error."""
    ended(office, "failed", "unit failed with exit code 1")
    (mail,) = office.mail.mails
    assert mail.message["Subject"].endswith("to production failed")
    assert "Error\n\ntest: unit failed with exit code 1\n" in body(mail).replace("\r\n", "\n")


def test_the_headers_are_those_of_a_machine(office):
    """A repeat bears the same Message-ID, and nobody's holiday reply comes back."""
    run_id = ended(office)
    office.redis.hset(keys.run(run_id), "told", "{}")
    office.report(run_id)
    first, second = office.mail.mails
    assert first.message["Message-ID"] == f"<{run_id}.succeeded@example.com>"
    assert second.message["Message-ID"] == first.message["Message-ID"]
    assert second.message["Date"] == first.message["Date"]
    assert first.message["Auto-Submitted"] == "auto-generated"
    assert first.message["From"] == "Slipway <deploys@example.com>"
    assert first.message["MIME-Version"] == "1.0"
    finished = office.shop.ledger.history.run(run_id).finished_at
    assert first.message["Date"].datetime.timestamp() == finished // 1000


def test_nothing_is_mailed_twice(office):
    """Repeated reports send one email."""
    run_id = ended(office)
    for _ in range(3):
        office.report(run_id)
    assert len(office.mail.mails) == 1
    assert office.redis.zscore(keys.REPORTS, run_id) is None


@pytest.mark.parametrize(
    ("state", "changes"),
    [
        ("succeeded", {"environment": "sandbox"}),
        ("succeeded", {"environment": None, "purpose": "check"}),
        ("cancelled", {}),
        ("superseded", {}),
    ],
)
def test_others_are_not_mailed(office, state, changes):
    """No addresses, no deploy, no result: no email."""
    ended(office, state, "" if state == "succeeded" else "why", **changes)
    assert office.mail.mails == []


def test_names_can_not_add_headers(office):
    """A line break in a name stays in its header."""
    ended(office, repository="octo/x\r\nBcc: evil@example.com", sender="ada\nX-Evil: 1")
    (mail,) = office.mail.mails
    assert mail.recipients == TEAM
    assert mail.message["Bcc"] is None
    assert mail.message["X-Evil"] is None
    assert "octo/x Bcc: evil@example.com" in mail.message["Subject"]


def test_every_script_is_readable(office):
    """Names beyond ASCII arrive as they are, in the subject and the text."""
    ended(office, "failed", "größer als 5 → 映画", repository="octo/フィルム")
    (mail,) = office.mail.mails
    assert mail.message["Subject"].startswith("[Slipway] octo/フィルム: deploy")
    assert "größer als 5 → 映画" in body(mail)
    assert mail.raw.isascii()


def test_a_large_log_is_packed(office):
    """Above one megabyte the log travels as gzip, and is still the whole."""
    run_id = office.start(office.accept())
    for number in range(20):
        office.say(run_id, f"{number} {'x' * 80}\n" * 800)
    office.end(run_id)
    office.report(run_id)
    name, packed = office.mail.mails[0].attachment()
    assert name == f"{run_id}.log.gz"
    assert len(packed) < 100_000
    assert gzip.decompress(packed).decode() == office.log(run_id)
    assert len(office.log(run_id)) > 1_000_000


def test_a_log_too_large_for_the_server_stays_behind(office):
    """A server that finds the message too large gets it without the log, and the text says so."""
    office.mail.refuse_data = ["552 5.3.4 message too big"]
    run_id = ended(office)
    (mail,) = office.mail.mails
    assert list(mail.message.iter_attachments()) == []
    assert "too large for the mail server" in body(mail)
    assert office.told(run_id)["email|succeeded|team@example.com"] == "sent"


def test_one_bad_address_keeps_nobody_else(office):
    """An address that the server will never take is noted once, and the others have their mail."""
    office.mail.refuse = {TEAM[0]: ["550 5.1.1 no such user"]}
    run_id = ended(office)
    told = office.told(run_id)
    assert office.mail.mails[0].recipients == TEAM[1:]
    why = "the mail server answered 550 5.1.1 no such user"
    assert told[f"email|succeeded|{TEAM[0]}"] == f"given up: {why}"
    assert told[f"email|succeeded|{TEAM[1]}"] == "sent"
    assert f"[email] no email to {TEAM[0]}: {why}" in office.log(run_id)
    office.report(run_id)
    assert office.mail.tries.count(TEAM[0]) == 1
    assert office.redis.zscore(keys.REPORTS, run_id) is None


def test_an_address_that_must_wait_is_tried_again_alone(office):
    """Greylisting delays one address; the others don't get theirs again."""
    office.mail.refuse = {TEAM[1]: ["450 4.2.0 greylisted", "250 OK"]}
    run_id = ended(office)
    assert [mail.recipients for mail in office.mail.mails] == [TEAM[:1]]
    assert 1 < office.due(run_id) <= 2
    assert "greylisted; trying again in 2 s" in office.log(run_id)
    office.mail.refuse = {}
    office.patience(run_id)
    office.report(run_id)
    assert [mail.recipients for mail in office.mail.mails] == [TEAM[:1], TEAM[1:]]
    assert len({mail.message["Message-ID"] for mail in office.mail.mails}) == 1


def test_all_addresses_refused(office):
    """When the server takes no address at all, each has its own answer."""
    office.mail.refuse = {TEAM[0]: ["550 no"], TEAM[1]: ["451 later"]}
    run_id = ended(office)
    told = office.told(run_id)
    assert told[f"email|succeeded|{TEAM[0]}"].startswith("given up: ")
    assert told[f"email|succeeded|{TEAM[1]}"].startswith("delayed: ")
    assert office.mail.mails == []


def test_a_server_that_is_away_is_tried_again(office):
    """Nothing listens: the rest is told, the run is as it was, and mail comes later."""
    office.set(smtp_url=f"smtp://127.0.0.1:{free_port()}")
    run_id = ended(office)
    assert "is out of reach (ConnectionRefusedError); trying again in 2 s" in office.log(run_id)
    assert len(office.slack.messages) == 2
    assert office.told(run_id)["log"]
    assert office.shop.ledger.history.run(run_id).state == "succeeded"
    office.set(smtp_url=office.mail.url)
    office.patience(run_id)
    office.report(run_id)
    assert [mail.recipients for mail in office.mail.mails] == [TEAM]
    (_, log) = office.mail.mails[0].attachment()
    assert b"trying again in 2 s" in log


def test_a_message_refused_for_good_is_given_up(office):
    """5xx to the message itself ends it, with the reason."""
    office.mail.refuse_data = ["554 5.7.1 looks like spam"]
    run_id = ended(office)
    assert office.mail.mails == []
    assert {office.told(run_id)[f"email|succeeded|{one}"] for one in TEAM} == {
        "given up: the mail server answered 554 5.7.1 looks like spam"
    }


def test_no_server_is_said(office):
    """An environment that asks for email without a mail server is told so in the run."""
    office.set(smtp_url=None)
    run_id = ended(office)
    assert f"[email] no email to {TEAM[0]}: SMTP_URL is not set" in office.log(run_id)
    assert office.redis.zscore(keys.REPORTS, run_id) is None


def test_addresses_beyond_ascii(office):
    """Where the server takes them they get their mail; the others get theirs anyway."""
    office.operate(OPERATOR.replace(TEAM[0], "équipe@example.com"))
    run_id = ended(office)
    assert sorted(one for mail in office.mail.mails for one in mail.recipients) == [
        TEAM[1],
        "équipe@example.com",
    ]
    told = office.told(run_id)
    assert told["email|succeeded|équipe@example.com"] == "sent"


@pytest.fixture
def guarded(tmp_path, monkeypatch, office, redis, redis_server):
    """A mail server that wants STARTTLS and a password, with a certificate of its own."""
    with Smtp(tmp_path / "certificate") as server:
        chosen = settings(redis_server.url, smtp_url=server.url)
        guarded = Office(Workshop(chosen, office.shop.operator), redis, office.slack, server)
        monkeypatch.setenv("SSL_CERT_FILE", str(server.authority))
        yield guarded


def test_the_password_goes_through_starttls(guarded):
    """The connection is encrypted before the login, and the mail is taken."""
    ended(guarded)
    (mail,) = guarded.mail.mails
    assert mail.encrypted
    assert mail.message["From"] == "Slipway <slipway@slipway.example.com>"


def test_an_untrusted_server_gets_nothing(guarded, monkeypatch):
    """Without the authority's certificate neither the password nor the mail leaves."""
    monkeypatch.delenv("SSL_CERT_FILE")
    run_id = ended(guarded)
    assert guarded.mail.mails == []
    assert "shows a certificate that isn't trusted" in guarded.log(run_id)
    assert guarded.due(run_id) > 0


def test_a_wrong_password_is_the_operators_turn(guarded):
    """The run says what to correct, without the password, and the mail comes once it is right."""
    right = guarded.mail.url
    guarded.set(smtp_url=right.replace("a%20p%40ssword", "a-wrong-passw%C3%B8rd"[:14]))
    run_id = ended(guarded)
    log = guarded.log(run_id)
    assert "doesn't take the user and password of SMTP_URL (535)" in log
    assert "a-wrong" not in log + json.dumps(guarded.told(run_id))
    assert PASSWORD not in log
    assert base64.b64encode(PASSWORD.encode()).decode() not in log
    guarded.set(smtp_url=right)
    guarded.patience(run_id)
    guarded.report(run_id)
    assert len(guarded.mail.mails) == 1


def test_starttls_that_is_not_offered_is_not_done_without(office):
    """A server without STARTTLS gets no mail when STARTTLS is asked for."""
    office.set(smtp_url=f"{office.mail.url}?starttls")
    run_id = ended(office)
    assert office.mail.mails == []
    assert "doesn't offer what SMTP_URL asks for" in office.log(run_id)
