"""Webhook deliveries that failed: GitHub sends none again by itself."""

from collections import Counter
from typing import Any

import github

from workers.github.client import GitHub

NEWEST = 100
MOST_ATTEMPTS = 5


def redeliver(hub: GitHub, repository: str, url: str) -> int:
    """Ask for every recent delivery to `url` that never got through, once more; how many.

    Deliveries can be sent again for three days; each is tried five times at most
    (https://docs.github.com/en/webhooks/testing-and-troubleshooting-webhooks/redelivering-webhooks).

    Raises:
        OurError: no credentials, or they don't suffice: it takes an administrator's.
        PassingError: GitHub is out of reach; RateLimitedError says for how long.
    """

    def work(client: github.Github) -> int:
        hooks = f"/repos/{repository}/hooks"
        lost = 0
        for hook in _get(client, hooks):
            if hook.get("config", {}).get("url") == url:
                deliveries = f"{hooks}/{hook['id']}/deliveries"
                for delivery in _lost(_get(client, f"{deliveries}?per_page={NEWEST}")):
                    client.requester.requestJsonAndCheck(
                        "POST", f"{deliveries}/{delivery['id']}/attempts"
                    )
                    lost += 1
        return lost

    return hub.call(repository, f"looking for lost deliveries of {repository}", work)


def _get(client: github.Github, path: str) -> list[dict[str, Any]]:
    _, found = client.requester.requestJsonAndCheck("GET", path)
    rows: list[dict[str, Any]] = found if isinstance(found, list) else []
    return rows


def _lost(deliveries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The newest attempt of each delivery that never got through, oldest delivery first."""
    attempts = Counter(delivery["guid"] for delivery in deliveries)
    through = {d["guid"] for d in deliveries if d["status_code"] in range(200, 300)}
    newest: dict[str, dict[str, Any]] = {}
    for delivery in deliveries:
        newest.setdefault(delivery["guid"], delivery)
    return [
        delivery
        for guid, delivery in reversed(newest.items())
        if guid not in through and attempts[guid] < MOST_ATTEMPTS
    ]
