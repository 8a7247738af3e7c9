"""One formatter for all servers and libraries and Slipway: JSON lines, or pretty on a terminal.

Events have constant names and fields: `log.info("package_stored", function=name, bytes=size)`.
"""

import json as json_library
import logging
import logging.config
import math
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from config.masker import Masker, MaskingStream

__all__ = ["Masker", "MaskingStream", "bind", "clear", "configure", "gunicorn_logconfig"]

# Below warnings, these write credentials and signatures, or a line for each request.
QUIET = ("amqp", "boto3", "botocore", "docker", "github", "s3transfer", "urllib3")
FIRST = ("time", "level", "logger", "event")
MAX_NESTING = 6
# What could begin a line, move the cursor or turn the direction of a line on somebody's screen.
_CONTROL = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)
_INDENT = "    "
_SIMPLE = frozenset({str, int, bool, type(None)})
_TRACES = frozenset({"exc_info", "exception", "stack", "stack_info"})
_encode = json_library.JSONEncoder().encode


def configure(
    level: str = "INFO",
    stream: TextIO | None = None,
    json: bool | None = None,  # noqa: FBT001 - the question is in the name
    secrets: Iterable[str] = (),
) -> None:
    """Send every log of this process to one place in one form; a second call replaces the first.

    Args:
        level: the least level that is written.
        stream: where to; standard error if left out.
        json: JSON lines or pretty ones; pretty on a terminal if left out.
        secrets: what must never be written.
    """
    logging.config.dictConfig(_logconfig(level, stream or sys.stderr, json, Masker(secrets)))
    logging.captureWarnings(capture=True)


def gunicorn_logconfig(
    level: str = "INFO",
    json: bool | None = None,  # noqa: FBT001 - the question is in the name
    secrets: Iterable[str] = (),
) -> dict[str, Any]:
    """Gunicorn's `logconfig_dict`: the same as `configure`, for the web process.

    Structlog is set up by the way, so that nothing else is needed there.
    """
    return _logconfig(level, sys.stderr, json, Masker(secrets))


def bind(**fields: object) -> None:
    """Put fields (run, delivery, task …) on every event that this thread or task logs from now."""
    structlog.contextvars.bind_contextvars(**fields)


def clear() -> None:
    """Forget what was bound: at the start of a task and at the end of it."""
    structlog.contextvars.clear_contextvars()


def _logconfig(level: str, stream: TextIO, json: bool | None, masker: Masker) -> dict[str, Any]:  # noqa: FBT001
    pretty = stream.isatty() if json is None else not json
    _configure_structlog()
    quiet = {name: {"level": "WARNING"} for name in QUIET}
    servers = (
        "gunicorn.error",
        "gunicorn.access",
        "uvicorn.error",
        "celery",
        "celery.task",
        "werkzeug",
    )
    loud = {name: {"handlers": [], "propagate": True, "level": "NOTSET"} for name in servers}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "slipway": {
                "()": _formatter,
                "pretty": pretty,
                "colors": stream.isatty(),
                "masker": masker,
            }
        },
        "handlers": {
            "slipway": {
                "class": "logging.StreamHandler",
                "formatter": "slipway",
                "stream": stream,
            }
        },
        "root": {"handlers": ["slipway"], "level": level.upper()},
        "loggers": {**quiet, **loud},
    }


def _shared() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
    ]


def _configure_structlog() -> None:
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_shared(),
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.processors.StackInfoRenderer(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )


def _formatter(*, pretty: bool, colors: bool, masker: Masker) -> logging.Formatter:
    render: Processor = structlog.processors.JSONRenderer()
    if pretty:
        render = structlog.dev.ConsoleRenderer(
            timestamp_key="time", colors=colors, exception_formatter=structlog.dev.plain_traceback
        )
    plain = Plain(masker, pretty=pretty)
    return _Lines(
        quick=None if pretty else plain.line,
        foreign_pre_chain=[*_shared(), structlog.stdlib.ExtraAdder(), _request],
        pass_foreign_args=True,
        processors=[
            _without_internals,
            structlog.processors.format_exc_info,
            plain,
            render,
        ],
    )


class _Lines(structlog.stdlib.ProcessorFormatter):
    """Structlog's formatter, with a short way for most of our own events."""

    def __init__(self, quick: Callable[[EventDict], str | None] | None, **chosen: Any) -> None:  # noqa: ANN401 - structlog's
        super().__init__(**chosen)
        self._quick = quick

    def format(self, record: logging.LogRecord) -> str:
        """One line, or one event on a terminal."""
        if self._quick and isinstance(record.msg, dict) and hasattr(record, "_logger"):
            line = self._quick(record.msg)
            if line is not None:
                return line
        return super().format(record)


def _without_internals(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    for key in ("_record", "_from_structlog", "positional_args", "color_message"):
        event.pop(key, None)
    return event


def _request(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Gunicorn's access line as fields, without the query, which may hold what is private."""
    atoms = event.get("positional_args")
    if event.get("logger") == "gunicorn.access" and isinstance(atoms, Mapping):
        event["event"] = "request"
        event.update(method=atoms["m"], path=atoms["U"], status=int(atoms["s"]))
        event.update(milliseconds=int(atoms["M"]), client=atoms["h"])
    return event


class Plain:
    """A processor: values that any renderer can write, without secrets and without tricks."""

    def __init__(self, masker: Masker, *, pretty: bool) -> None:
        self._masker = masker
        self._pretty = pretty

    def __call__(self, _: WrappedLogger, __: str, event: EventDict) -> EventDict:
        """The event with every key and value made plain."""
        traces = {key: event.pop(key) for key in ("exception", "stack") if key in event}
        ordered = {key: event[key] for key in FIRST if key in event} | dict(event)
        plain = {self._text(str(key)): self._value(value) for key, value in ordered.items()}
        return plain | {key: self._trace(str(value)) for key, value in traces.items()}

    def line(self, event: EventDict) -> str | None:
        """The event as JSON, the same as the long way makes it; None if it must go that way."""
        if not _SIMPLE.issuperset(map(type, event.values())) or not _TRACES.isdisjoint(event):
            return None
        line = _encode({key: event[key] for key in FIRST if key in event} | dict(event))
        return None if self._masker.touches(line) else line

    def _value(self, value: object, depth: int = 0) -> object:
        if isinstance(value, str):
            return self._text(value)
        if value is None or isinstance(value, bool | int | float):
            # JSON has no word for nan and the infinities.
            return value if value is None or math.isfinite(value) else str(value)
        if isinstance(value, Mapping) and depth < MAX_NESTING:
            return {
                self._text(str(key)): self._value(inner, depth + 1) for key, inner in value.items()
            }
        if isinstance(value, list | tuple | set | frozenset) and depth < MAX_NESTING:
            return [self._value(inner, depth + 1) for inner in value]
        if isinstance(value, bytes):
            return self._text(value.decode("utf-8", "backslashreplace"))
        return self._text(_shown(value))

    def _text(self, text: str) -> str:
        masked = self._masker.mask(text)
        # JSON escapes these by itself.
        return _CONTROL.sub(_escaped, masked) if self._pretty else masked

    def _trace(self, text: str) -> str:
        masked = self._masker.mask(text)
        if not self._pretty:
            return masked
        return "\n".join(_INDENT + _CONTROL.sub(_escaped, line) for line in masked.split("\n"))


def _shown(value: object) -> str:
    try:
        return str(value) if isinstance(value, BaseException) else repr(value)
    except Exception as error:  # noqa: BLE001 - a log line must never break the work it tells of
        return f"<{type(value).__name__} whose repr raises {type(error).__name__}>"


def _escaped(match: re.Match[str]) -> str:
    return match.group().encode("unicode_escape").decode()
