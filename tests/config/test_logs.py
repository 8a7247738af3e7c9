"""One formatter for everything that logs: lines that cannot be forged and hold no secret."""

import io
import json
import logging
import os
import subprocess
import sys
import threading
import urllib.request
from pathlib import Path

import pytest
import structlog

from config import logs

SECRET = "ghs_abcdef123456"


@pytest.fixture(autouse=True)
def _as_before():
    """Leave the root logger and structlog as they were."""
    root, names = logging.getLogger(), (*logs.QUIET, "gunicorn.access", "celery")
    handlers, level = root.handlers[:], root.level
    levels = {name: logging.getLogger(name).level for name in names}
    yield
    logs.clear()
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()
    root.handlers[:], root.level = handlers, level
    for name, before in levels.items():
        logging.getLogger(name).setLevel(before)


@pytest.fixture
def written():
    """Configure JSON lines; the call gives the events written so far."""
    stream = io.StringIO()
    logs.configure("INFO", stream, json=True, secrets=[SECRET])
    return lambda: [json.loads(line) for line in stream.getvalue().splitlines()]


@pytest.fixture
def pretty():
    """Configure pretty lines; the call gives the lines written so far."""
    stream = io.StringIO()
    logs.configure("INFO", stream, json=False, secrets=[SECRET])
    return lambda: stream.getvalue().splitlines()


def test_our_events_have_a_name_fields_a_time_a_level_and_a_logger(written):
    """An event of Slipway is one JSON line with what was given and nothing internal."""
    structlog.get_logger("slipway.test").info("package_stored", function="Foo", bytes=3)
    (event,) = written()
    assert event.pop("time").endswith("Z")
    assert event == {
        "level": "info",
        "logger": "slipway.test",
        "event": "package_stored",
        "function": "Foo",
        "bytes": 3,
    }


def test_libraries_write_in_the_same_form(written):
    """A record of the standard library gets the same keys, and its extras become fields."""
    logging.getLogger("celery.worker").warning("lost %s", "redis", extra={"queue": "build"})
    (event,) = written()
    assert (event["event"], event["logger"], event["level"], event["queue"]) == (
        "lost redis",
        "celery.worker",
        "warning",
        "build",
    )


def test_bound_fields_are_on_every_event_until_cleared(written):
    """What a task binds is on its own and on a library's events, not on those after it."""
    logs.bind(run="r1", delivery="d1")
    structlog.get_logger().info("one")
    logging.getLogger("redis").info("two")
    logs.clear()
    structlog.get_logger().info("three")
    assert [event.get("run") for event in written()] == ["r1", "r1", None]


def test_threads_do_not_share_what_they_bind(written):
    """One thread's run is never on another's events."""
    logs.bind(run="r1")
    thread = threading.Thread(target=lambda: structlog.get_logger().info("other"))
    thread.start()
    thread.join()
    assert "run" not in written()[0]


def test_levels_below_the_chosen_one_are_dropped(written):
    """Debug is off at INFO, for us and for libraries."""
    structlog.get_logger().debug("quiet")
    logging.getLogger("any").debug("quiet")
    assert written() == []


def test_libraries_that_log_credentials_stay_quiet_even_at_debug():
    """Botocore and its like write signatures at DEBUG: they never may."""
    stream = io.StringIO()
    logs.configure("debug", stream, json=True)
    for name in ("botocore.auth", "urllib3.connectionpool", "github.Requester"):
        logging.getLogger(name).info("Authorization: x")
    logging.getLogger("any").debug("heard")
    assert [json.loads(line)["event"] for line in stream.getvalue().splitlines()] == ["heard"]


def fail():
    """Raise with a secret and a forged line in the message."""
    raise ValueError(f"{SECRET}\n2026-01-01 [info] forged")


def log_everything():
    """Write a secret in every place where an event can hold one."""
    log = structlog.get_logger()
    log.info(SECRET, value=SECRET, nested={SECRET: [SECRET, (SECRET.encode(),)]})
    log.info("object", object=ValueError(SECRET), deep=[[[[[[[[SECRET]]]]]]]])
    log.info("positional %s", SECRET)
    log.info("header", value=SECRET.encode().hex())
    logging.getLogger("x").info("%s", SECRET, extra={"field": SECRET})
    logs.bind(token=SECRET)
    try:
        fail()
    except ValueError:
        log.exception("failed")
        logging.getLogger("x").exception("failed")


def test_no_secret_is_written_as_json(written):
    """Messages, fields, keys, nested values, objects and tracebacks are masked."""
    log_everything()
    events = written()
    assert len(events) == 7
    assert not any(SECRET in str(event) for event in events)
    assert not any(SECRET.encode().hex() in str(event) for event in events)
    assert all("***" in str(event) for event in events)


def test_no_secret_is_written_on_a_terminal(pretty):
    """The pretty form is masked as well."""
    log_everything()
    text = "\n".join(pretty())
    assert SECRET not in text
    assert text.count("***") >= 7


EVIL = "x\n2026-01-01T00:00:00Z [info] forged\r\x1b[2J\u2028\u202e\x85\ud800"


def test_values_cannot_forge_json_lines(written):
    """Each event is one line, whatever is in it."""
    structlog.get_logger().info(EVIL, value=EVIL, **{EVIL: EVIL})
    logging.getLogger("x").info("%s", EVIL)
    assert len(written()) == 2
    assert written()[0]["value"] == EVIL


def test_values_cannot_forge_pretty_lines_or_move_the_cursor(pretty):
    """Line breaks, escape sequences and direction marks are written as escapes."""
    structlog.get_logger().info(EVIL, value=EVIL, **{EVIL: EVIL})
    logging.getLogger("x").info("%s", EVIL)
    lines = pretty()
    assert len(lines) == 2
    assert not any(set(line) & set("\r\x1b\u2028\u202e\x85\ud800") for line in lines)


def test_a_traceback_cannot_forge_a_pretty_line(pretty):
    """Every line of a traceback is indented, so that none looks like an event."""
    try:
        fail()
    except ValueError:
        structlog.get_logger().exception("failed")
    first, *trace = pretty()
    assert "failed" in first
    assert any("forged" in line for line in trace)
    assert all(line.startswith("    ") for line in trace)


class Broken:
    """A value whose repr fails."""

    def __repr__(self):
        """Fail."""
        raise RuntimeError("no")


def test_a_strange_value_never_breaks_the_work():
    """Numbers that JSON lacks, broken objects and loops are written as text."""
    stream = io.StringIO()
    # Here and not in a fixture: this also takes away pytest's handler, which such values do break.
    logs.configure("INFO", stream, json=True)
    loop = []
    loop.append(loop)
    structlog.get_logger().info("odd", nan=float("nan"), broken=Broken(), loop=loop, n=2**70)
    event = json.loads(stream.getvalue())
    assert event["nan"] == "nan"
    assert event["broken"] == "<Broken whose repr raises RuntimeError>"
    assert event["n"] == 2**70


def test_warnings_of_python_are_logged(written):
    """A deprecation shows up where everything else does."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("old ways", DeprecationWarning, stacklevel=1)
    assert "old ways" in written()[0]["event"]


def test_a_second_call_replaces_the_first(written):
    """Configuring again, as web process and worker may, writes no line twice."""
    stream = io.StringIO()
    log = structlog.get_logger()
    log.info("first")
    logs.configure("INFO", stream, json=True)
    log.info("second")
    assert [event["event"] for event in written()] == ["first"]
    assert json.loads(stream.getvalue())["event"] == "second"


APP = """
import structlog
def app(environ, start):
    structlog.get_logger("app").info("handled", token="ghs_abcdef123456")
    start("200 OK", [("Content-Length", "2")])
    return [b"ok"]
"""
CONFIG = """
from config import logs
bind = "127.0.0.1:0"
logconfig_dict = logs.gunicorn_logconfig(secrets=["ghs_abcdef123456"])
control_socket_disable = True
"""


def test_a_real_gunicorn_writes_only_our_lines(tmp_path):
    """Server, access and application lines of a running gunicorn are JSON, without the query."""
    (tmp_path / "served.py").write_text(APP)
    (tmp_path / "settings.py").write_text(CONFIG)
    command = [sys.executable, "-m", "gunicorn", "-c", "settings.py", "served:app"]
    process = subprocess.Popen(
        command,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(Path.cwd()), str(tmp_path)])},
        stderr=subprocess.PIPE,
        text=True,
    )
    lines = []
    try:
        for line in process.stderr:
            lines.append(json.loads(line))
            if "Listening at" in lines[-1]["event"]:
                address = lines[-1]["event"].split()[2]
                with urllib.request.urlopen(f"{address}/path?code=private", timeout=20) as answer:
                    assert answer.read() == b"ok"
            if lines[-1]["event"] == "request":
                break
    finally:
        process.terminate()
        process.stderr.read()
        process.wait(20)
    handled = next(line for line in lines if line["event"] == "handled")
    assert handled["token"] == "***"
    request = lines[-1]
    assert (request["method"], request["path"], request["status"]) == ("GET", "/path", 200)
    assert "private" not in str(lines)
