"""An environment's history, put into the ledger without a run."""

import json

from redis import Redis

from workers.ledger import keys

FIRST, SECOND = "a" * 40, "b" * 40


def released(
    redis: Redis, commit: str, *functions: str, environment: str = "production", **changes: object
) -> None:
    """Have a commit released, by the watchlist's loader unless told otherwise."""
    repository = str(changes.pop("repository", "watchlist/movies-loader"))
    source = {
        "repository": repository,
        "repository_id": 7,
        "clone_url": f"https://github.com/{repository}.git",
        "ref": "refs/heads/master",
    }
    for number, function in enumerate(functions or ("MoviesLoader",)):
        row = {
            "function": function,
            "version": str(number + 1),
            "alias": environment,
            "sha256": "q+w=",
            "commit": commit,
            "repository": repository,
            "run": f"run-of-{commit}",
            "source": source,
            "at": 1_700_000_000_000,
        }
        redis.lpush(f"{keys.RELEASED}{environment}", json.dumps(row | changes))
