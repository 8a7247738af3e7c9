"""Which requests the door reads itself, and how."""

import json

import pytest

from service import plain
from service.answer import Answer, refused
from service.plain import PeculiarError

HEAD = (
    b"POST /webhooks/github HTTP/1.1\r\nHost: slipway.example.com\r\n"
    b"X-GitHub-Event: push\r\nContent-Length: 2\r\n\r\n"
)


def changed(old: bytes, new: bytes) -> bytes:
    """The head with something else in it."""
    assert old in HEAD
    return HEAD.replace(old, new)


def added(line: bytes) -> bytes:
    """The head with one more field."""
    return changed(b"X-GitHub", line + b"\r\nX-GitHub")


def test_a_head_is_read_as_soon_as_it_has_come():
    """Until its last byte there is nothing; then its fields, and the request's length."""
    for cut in range(len(HEAD)):
        assert plain.concerns(HEAD[:cut])
        assert plain.head(HEAD[:cut]) is None
    head = plain.head(HEAD + b"{}more")
    assert head.fields["x-github-event"] == "push"
    assert "x-hub-signature-256" not in head.fields
    assert (head.start, head.size) == (len(HEAD), len(HEAD) + 2)
    assert (head.minor, head.stays) == (1, True)


@pytest.mark.parametrize(
    ("head", "stays"),
    [
        (added(b"Connection: close"), False),
        (added(b"connection:Keep-Alive \t"), True),
        (changed(b"HTTP/1.1", b"HTTP/1.0"), False),
        (
            changed(b"HTTP/1.1", b"HTTP/1.0").replace(b"Host", b"Connection: keep-alive\r\nHost"),
            True,
        ),
    ],
)
def test_the_connection_stays_as_was_asked(head, stays):
    """Both versions of HTTP, and what each means by silence."""
    assert plain.head(head).stays is stays


@pytest.mark.parametrize(
    "head",
    [
        changed(b"HTTP/1.1", b"HTTP/2.0"),
        changed(b"POST /webhooks/github HTTP", b"POST /webhooks/github  HTTP"),
        changed(b"/github ", b"/github ?x=1 "),
        changed(b"Host: slipway.example.com\r\n", b""),
        changed(b"Content-Length: 2\r\n", b""),
        changed(b"Content-Length: 2", b"Content-Length: +2"),
        changed(b"Content-Length: 2", b"Content-Length: 0x2"),
        changed(b"Content-Length: 2", b"Content-Length: 2, 2"),
        changed(b"Content-Length: 2", b"Content-Length: %d" % (plain.MOST_BODY + 1)),
        changed(b"Content-Length: 2", b"Content-Length: 99999999999999999999"),
        changed(b"Content-Length: 2", b"Content-Length : 2"),
        changed(b"Content-Length: 2", b"Content-Length: 2\r\nContent-Length: 2"),
        changed(b"Content-Length: 2", b"Content-Length: 2\nX: 1"),
        added(b"Transfer-Encoding: chunked"),
        added(b"Expect: 100-continue"),
        added(b"Upgrade: h2c"),
        added(b"Connection: upgrade"),
        added(b"X-Hub-Signature-256: one\r\nx-hub-signature-256: two"),
        added(b" folded: onto the line before"),
        added(b"no colon"),
        added(b"X-Zero: \x00"),
        added(b"X-Latin: \xe9"),
        HEAD[:-4] + b"\r\nX-Long: " + b"x" * plain.MOST_HEAD + b"\r\n\r\n",
    ],
    ids=range(23),
)
def test_what_is_peculiar_is_left_to_gunicorn(head):
    """Whatever could be understood in two ways is not understood here at all."""
    with pytest.raises(PeculiarError):
        plain.head(head)


def test_other_requests_do_not_concern_the_door():
    """Another method, another path, another protocol."""
    for text in (
        b"GET /webhooks/github ",
        b"POST /webhooks/githubs",
        b"PRI * HTTP/2.0",
        b"\x16\x03",
    ):
        assert not plain.concerns(text)


def test_an_answer_is_whole_http():
    """Status line, headers, JSON; its length is that of its bytes."""
    text = plain.written(refused(503, "späteṙ", {"Retry-After": "5"}), minor=1, stays=False)
    head, _, body = text.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    assert lines[0] == b"HTTP/1.1 503 Service Unavailable"
    assert {b"Connection: close", b"Retry-After: 5", b"Content-Length: %d" % len(body)} < set(lines)
    assert b"Content-Type: application/problem+json" in lines
    assert json.loads(body)["detail"] == "späteṙ"
    kept = plain.written(Answer(202, {"run_id": "r"}), minor=0, stays=True)
    assert kept.startswith(b"HTTP/1.0 202 Accepted\r\n")
    assert b"\r\nConnection: keep-alive\r\n" in kept
