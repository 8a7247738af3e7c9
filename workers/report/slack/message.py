"""A run as a message of Slack: blocks for those who see them, a text for all others.

Source: https://docs.slack.dev/reference/block-kit/blocks (a section's text has 3,000 characters
at most, a button's value 2,000) and https://docs.slack.dev/messaging/formatting-message-text.
"""

import json
import re
from typing import Any, NamedTuple

from workers.ledger.model.approval import APPROVE, REJECT
from workers.ledger.model.run import Release, Run
from workers.report import words
from workers.report.words import Event

EMOJI: dict[words.Name, str] = {
    "started": ":rocket:",
    "waiting": ":hourglass_flowing_sand:",
    "held": ":lock:",
    "succeeded": ":white_check_mark:",
    "failed": ":x:",
    "cancelled": ":no_entry_sign:",
    "superseded": ":fast_forward:",
}
EXPLAINED = ("held", "failed", "cancelled", "superseded")
WHY_LIMIT = 2800
RELEASES_SHOWN = 12
SHORT_LINE = 72


class Facts(NamedTuple):
    """What a message says beside the run itself.

    `candidate` is the one hash of its packages, for the buttons; without it there are none.
    `repeat` marks a message whose first sending may have been lost.
    """

    url: str
    subject: str = ""
    candidate: str | None = None
    repeat: bool = False


def message(run: Run, event: Event, facts: Facts) -> dict[str, Any]:
    """What to post to an incoming webhook."""
    blocks = [
        _section(_head(run, event, facts)),
        *_why(run, event),
        *_releases(run, event),
        *_took(run, event),
        *_buttons(run, event, facts),
    ]
    text = _fallback(run, event, facts)
    return {"text": text, "blocks": blocks, "unfurl_links": False, "unfurl_media": False}


def notice(text: str) -> dict[str, Any]:
    """A text that belongs to no run, as a message."""
    shown = _escaped(text)[:WHY_LIMIT]
    blocks = [_section(shown)]
    return {"text": shown, "blocks": blocks, "unfurl_links": False, "unfurl_media": False}


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}


def _head(run: Run, event: Event, facts: Facts) -> str:
    title = f"{EMOJI[event.name]} *<{facts.url}|{_escaped(words.headline(run, event.name))}>*"
    about = [words.who(run), words.line(facts.subject, SHORT_LINE)]
    again = "_sent again: the first one may have been lost_" if facts.repeat else ""
    below = " · ".join(_escaped(part) for part in about if part)
    return "\n".join(part for part in (title, below, again) if part)


def _fallback(run: Run, event: Event, facts: Facts) -> str:
    parts = [words.headline(run, event.name), words.who(run)]
    if event.name in EXPLAINED:
        parts.append(words.line(_reason(run), 300))
    elif event.name != "started":
        parts.append(words.line(", ".join(_version(r) for r in run.releases), 300))
    text = " - ".join(_escaped(part) for part in parts if part)
    return f"{text} {facts.url}"


def _reason(run: Run) -> str:
    if run.held:
        return words.why_held(run)
    stage = words.failed_stage(run)
    why = (stage and stage.error) or run.error or ""
    return f"{stage.name}: {why}" if stage else why


def _why(run: Run, event: Event) -> list[dict[str, Any]]:
    if event.name not in EXPLAINED:
        return []
    why = _fitting(_escaped(_reason(run).replace("```", "'''")))
    return [_section(f"```{why}```" if event.name == "failed" else why)] if why else []


def _fitting(escaped: str) -> str:
    """As much as a section takes, without half an entity at its end."""
    if len(escaped) <= WHY_LIMIT:
        return escaped
    return re.sub("&[a-z]*$", "", escaped[:WHY_LIMIT]) + "…"


def _version(release: Release) -> str:
    return f"{release.function} {release.version}" if release.version else release.function


def _releases(run: Run, event: Event) -> list[dict[str, Any]]:
    if event.name not in ("waiting", "succeeded") or not run.releases:
        return []
    lines = [_release(release) for release in run.releases[:RELEASES_SHOWN]]
    more = len(run.releases) - RELEASES_SHOWN
    return [_section("\n".join([*lines, *([f"and {more} more"] if more > 0 else [])]))]


def _release(release: Release) -> str:
    parts = [f"`{release.function}`"]
    parts += [f"version {release.version}"] if release.version else []
    parts += [f"alias {release.alias}"] if release.alias else []
    parts += [f"`{release.sha256}`"] if release.sha256 else []
    return "• " + _escaped(" · ".join(parts))


def _took(run: Run, event: Event) -> list[dict[str, Any]]:
    if event.name not in ("succeeded", "failed"):
        return []
    stages = [f"{one.name} {took}" for one in run.stages if (took := words.lasted(one))]
    text = " · ".join([f"took {words.lasted(run) or 'no time'}", *stages])
    return [{"type": "context", "elements": [{"type": "plain_text", "text": text}]}]


def _buttons(run: Run, event: Event, facts: Facts) -> list[dict[str, Any]]:
    if event.name != "waiting" or facts.candidate is None:
        return []
    value = {"run": run.id, "commit": run.order.commit, "sha256": facts.candidate}
    ask = words.line(f"{words.short(run)} of {run.order.repository} goes live.", 250)
    confirm = {
        "title": _plain(words.line(f"Release to {run.order.environment}?", 90)),
        "text": _plain(ask),
        "confirm": _plain("Approve"),
        "deny": _plain("Not now"),
    }
    approve = _button("Approve", APPROVE, "primary", value) | {"confirm": confirm}
    reject = _button("Reject", REJECT, "danger", value)
    return [{"type": "actions", "block_id": f"approval-{run.id}", "elements": [approve, reject]}]


def _plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}


def _button(text: str, action: str, style: str, value: dict[str, str]) -> dict[str, Any]:
    return {
        "type": "button",
        "text": _plain(text),
        "action_id": action,
        "style": style,
        "value": json.dumps(value),
    }
