"""A repository's webhook: made, or put right."""

from collections.abc import Sequence
from typing import Any, Literal

import github
from github.Hook import Hook

from workers.github.client import GitHub

Outcome = Literal["created", "repaired", "unchanged"]

EVENTS = ("push", "pull_request")


def install(
    hub: GitHub, repository: str, url: str, secret: str, events: Sequence[str] = EVENTS
) -> Outcome:
    """Make sure that the repository sends these events to `url`, signed with `secret`.

    GitHub never tells a hook's secret, so it is written each time: "unchanged" speaks of all else.

    Raises:
        OurError: no credentials, or they don't suffice.
        PassingError: GitHub is out of reach; RateLimitedError says for how long.
    """
    config = {"url": url, "content_type": "json", "insecure_ssl": "0", "secret": secret}

    def work(client: github.Github) -> Outcome:
        place = client.get_repo(repository)
        hook = next((hook for hook in place.get_hooks() if hook.config.get("url") == url), None)
        if not hook:
            place.create_hook("web", config, list(events), active=True)
            return "created"
        right = _right(hook, config, events)
        # Not at the URL that the hook names: behind a proxy that is not where we reach GitHub.
        wanted = {"config": config, "events": list(events), "active": True}
        path = f"/repos/{repository}/hooks/{hook.id}"
        client.requester.requestJsonAndCheck("PATCH", path, input=wanted)
        return "unchanged" if right else "repaired"

    return hub.call(repository, f"installing the webhook of {repository}", work)


def _right(hook: Hook, config: dict[str, str], events: Sequence[str]) -> bool:
    there: dict[str, Any] = hook.config
    same = all(str(there.get(key)) == config[key] for key in ("content_type", "insecure_ssl"))
    return same and "secret" in there and set(hook.events) == set(events) and hook.active
