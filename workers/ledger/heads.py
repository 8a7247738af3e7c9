"""Where branches are, as deliveries and the poll have told."""

from typing import Any

from redis import Redis

from workers.ledger import keys
from workers.ledger.scripts import Scripts


class Heads:
    """What is told of branches beside the orders that are accepted."""

    def __init__(self, redis: Redis) -> None:
        self._scripts: Any = Scripts(redis)

    def told(  # noqa: PLR0913 - a branch, and what is known of it
        self,
        repository_id: int,
        repository: str,
        branch: str,
        commit: str | None,
        before: str = "",
        *,
        sure: bool = False,
    ) -> None:
        """Remember where a branch is, None for nowhere; `sure`: it was asked for just now."""
        name, index = keys.head(repository_id, branch), keys.branch(repository, branch)
        self._scripts(
            "told_head",
            name=name,
            branch=index,
            before=before,
            after=commit or "",
            forced="1",
            sure="1" if sure else "",
        )
