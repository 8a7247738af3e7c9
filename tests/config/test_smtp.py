"""The mail server comes from one URL."""

import pytest

from config.settings.smtp import SmtpServer, parse


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mail.example.com", SmtpServer("mail.example.com", 25, "none")),
        ("smtp://mail.example.com?starttls", SmtpServer("mail.example.com", 587, "starttls")),
        ("smtps://mail.example.com/", SmtpServer("mail.example.com", 465, "tls")),
        (
            "smtp://ada%40example.com:p%3Aw%2Frd@mail:2525?starttls",
            SmtpServer("mail", 2525, "starttls", "ada@example.com", "p:w/rd"),
        ),
    ],
)
def test_urls(url, server):
    """Scheme, port and credentials, with the usual port where none is given."""
    assert parse(url) == server


@pytest.mark.parametrize(
    "url",
    [
        "mail.example.com",
        "http://mail.example.com",
        "smtp://",
        "smtp://ada@mail",
        "smtp://ada:hunter2/x@mail",
        "smtp://mail:0",
        "smtp://mail:hunter2",
        "smtp://mail:99999",
        "smtp://mail?tls=hunter2",
        "smtps://mail?starttls",
        "smtp://mail/hunter2",
        "smtp://ada:hunter%C3%BC@mail",
        "smtp://[::1",
    ],
)
def test_what_is_no_mail_server(url):
    """Anything else is refused, and what may be a password is not repeated."""
    with pytest.raises(ValueError) as error:
        parse(url)
    assert "hunter" not in str(error.value)


def test_a_password_is_not_shown():
    """A server can be logged."""
    assert "hunter2" not in repr(parse("smtp://ada:hunter2@mail"))
