"""A deploy that has ended as an email: text, the same as HTML, and the log.

Sources: RFC 5322 (headers), RFC 3834 (Auto-Submitted), RFC 2046 (multipart).
"""

import gzip
from collections.abc import Iterable, Sequence
from email import policy
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import parseaddr
from html import escape
from typing import NamedTuple

from config.units import exact, utc
from workers.ledger.model.run import Run
from workers.report import words

PLAIN_BYTES = 1_000_000
LONGEST_LINE = 998
Row = Sequence[str]


class Facts(NamedTuple):
    """What an email says beside the run itself; `log` as text, packed, or None: not attached."""

    url: str
    subject: str = ""
    log: str | bytes | None = None
    about_log: str = ""


def message(run: Run, sender: str, recipients: Sequence[str], facts: Facts) -> EmailMessage:
    """The email about a run's end; the same run and result give the same Message-ID."""
    name = words.ENDS[run.state]
    mail = EmailMessage(policy=policy.SMTP)
    title, address = parseaddr(sender)
    mail["From"] = Address(display_name=title, addr_spec=address)
    mail["To"] = ", ".join(recipients)
    mail["Subject"] = f"[Slipway] {words.headline(run, name)}"
    mail["Date"] = utc(run.finished_at or run.created_at)
    mail["Message-ID"] = f"<{run.id}.{run.state}@{address.rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    mail.set_content(_text(run, facts), cte="quoted-printable")
    mail.add_alternative(_html(run, facts), subtype="html", cte="quoted-printable")
    if facts.log is not None:
        _attach(mail, run.id, facts.log)
    if str(mail["Subject"]).isascii():
        # Python 3.11 breaks such a line right after its name, which some readers take for a space.
        mail.policy = policy.SMTP.clone(max_line_length=LONGEST_LINE)
    return mail


def _attach(mail: EmailMessage, run_id: str, given: str | bytes) -> None:
    log = given.encode("utf-8", "replace") if isinstance(given, str) else given
    if isinstance(given, bytes) or len(log) > PLAIN_BYTES:
        packed = log if isinstance(given, bytes) else gzip.compress(log, mtime=0)
        mail.add_attachment(
            packed, maintype="application", subtype="gzip", filename=f"{run_id}.log.gz"
        )
        return
    mail.add_attachment(
        log,
        maintype="text",
        subtype="plain",
        cte="base64",
        params={"charset": "utf-8"},
        filename=f"{run_id}.log",
    )


def _about(run: Run, facts: Facts) -> list[Row]:
    order = run.order
    pull_request = f"#{order.pull_request.number}" if order.pull_request else ""
    rows = [
        ("Repository", order.repository),
        ("Environment", order.environment or ""),
        ("Result", str(run.state)),
        ("Commit", f"{order.commit} {words.line(facts.subject)}".strip()),
        ("Branch", words.line(order.branch)),
        ("Pull request", pull_request),
        ("By", words.line(order.sender or "")),
        ("Began", exact(run.started_at or run.created_at)),
        ("Took", words.lasted(run)),
    ]
    return [row for row in rows if row[1]]


def _stages(run: Run) -> list[Row]:
    return [
        (s.name, str(s.state), words.lasted(s), words.line(s.summary or "")) for s in run.stages
    ]


def _releases(run: Run) -> list[Row]:
    return [(r.function, r.version or "", r.alias or "", r.sha256 or "") for r in run.releases]


def _why(run: Run) -> str:
    stage = words.failed_stage(run)
    why = run.error or (stage and stage.error) or ""
    return f"{stage.name}: {why}" if stage and why else why


def _text(run: Run, facts: Facts) -> str:
    parts = [
        words.headline(run, words.ENDS[run.state]),
        f"Error\n\n{_why(run)}" if _why(run) else "",
        _columns(_about(run, facts)),
        f"Stages\n\n{_columns(_stages(run))}",
        f"Versions\n\n{_columns(_releases(run))}" if run.releases else "",
        facts.url,
        facts.about_log,
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _columns(rows: Sequence[Row]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(one.rstrip() for one in lines)


def _html(run: Run, facts: Facts) -> str:
    why = f"<pre>{escape(_why(run))}</pre>" if _why(run) else ""
    versions = f"<h2>Versions</h2>{_table(_releases(run))}" if run.releases else ""
    return (
        '<!doctype html><html><head><meta charset="utf-8"></head>'
        '<body style="font-family:sans-serif">'
        f"<h1>{escape(words.headline(run, words.ENDS[run.state]))}</h1>{why}"
        f"{_table(_about(run, facts))}<h2>Stages</h2>{_table(_stages(run))}{versions}"
        f'<p><a href="{escape(facts.url)}">{escape(facts.url)}</a></p>'
        f"<p>{escape(facts.about_log)}</p></body></html>\n"
    )


def _table(rows: Iterable[Row]) -> str:
    cells = ("".join(f"<td>{escape(cell)}</td>" for cell in row) for row in rows)
    return f'<table cellpadding="4">{"".join(f"<tr>{row}</tr>" for row in cells)}</table>'
