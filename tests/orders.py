"""Orders for tests, made in one place."""

from workers.ledger.model.order import Order, PullRequest

COMMIT = "a" * 40


def order(**changes: object) -> Order:
    """A deploy of one commit to the sandbox, unless told otherwise."""
    fields: dict[str, object] = {
        "repository": "octo/movies-loader",
        "repository_id": 7,
        "clone_url": "https://github.com/octo/movies-loader.git",
        "ref": "refs/heads/develop",
        "commit": COMMIT,
        "purpose": "deploy",
        "environment": "sandbox",
    }
    return Order.model_validate(fields | changes)


def pull_request(number: int = 3, head: str = "b" * 40, **more: str) -> PullRequest:
    """A pull request's part of an order."""
    return PullRequest.model_validate({"number": number, "head": head, **more})
