"""Sends each film of movies.json to a queue: the watchlist's Lambda function MoviesLoader."""

import functools
import json
import os
from pathlib import Path

MOVIES = Path(__file__).with_name("movies.json")
BATCH = 10  # SQS takes at most ten messages in one call.


class NotSentError(Exception):
    """SQS refused some of the films; the message names them."""


def lambda_handler(_event, _context):
    """Load every film; called by AWS Lambda, whose Python brings boto3."""
    return load(queue_service(), os.environ["SQS_URL"], read(MOVIES))


@functools.cache
def queue_service():
    """The client of SQS, kept while Lambda keeps this process."""
    # Imported here, because only Lambda has it: the tests pass a client of their own.
    import boto3

    return boto3.client("sqs")


def read(path):
    """The films of a JSON file.

    Raises:
        ValueError: naming the first film without an id or a title, or with an id used before.
    """
    movies = json.loads(path.read_text(encoding="utf-8"))
    seen = set()
    for number, movie in enumerate(movies, start=1):
        if not (movie.get("id") and movie.get("title")):
            raise ValueError(f"film {number} of {path.name} needs an id and a title")
        if movie["id"] in seen:
            raise ValueError(f"film {number} of {path.name} has the id of another: {movie['id']}")
        seen.add(movie["id"])
    return movies


def load(sqs, queue_url, movies):
    """Send the films in batches; returns how many were sent."""
    for batch in batches(movies, BATCH):
        answer = sqs.send_message_batch(QueueUrl=queue_url, Entries=[entry(m) for m in batch])
        refused = answer.get("Failed", [])
        if refused:
            names = ", ".join(f"{item['Id']} ({item['Code']})" for item in refused)
            raise NotSentError(f"not sent: {names}")
    return {"sent": len(movies)}


def batches(items, size):
    """The items in lists of at most `size`."""
    return [items[start : start + size] for start in range(0, len(items), size)]


def entry(movie):
    """One film as a message of SQS."""
    return {"Id": movie["id"], "MessageBody": json.dumps(movie, ensure_ascii=False)}
