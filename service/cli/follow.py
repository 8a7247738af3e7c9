"""`slipway log -f`: the log as it grows, by live events or, without them, by asking again."""

from time import monotonic, sleep
from typing import Any

import click

from config.log_text import as_text
from config.terminal import plain
from service.cli.client import AwayError, Client, NoEventsError

EVERY_SECONDS = 0.7
AWAY_SECONDS = 60.0


def follow(client: Client, run_id: str) -> dict[str, Any]:
    """Print the log of a run until that ends; the run.

    A Slipway that is away for a while is waited for.
    """
    follower = _Follower(client, run_id)
    try:
        return follower.listen()
    except NoEventsError:
        return follower.ask_again()


class _Follower:
    def __init__(self, client: Client, run_id: str) -> None:
        self._client = client
        self._run_id = run_id
        self._cursor = ""
        self._heard: float | None = None

    def listen(self) -> dict[str, Any]:
        last = ""
        while True:
            try:
                for event in self._client.events(self._run_id, last):
                    self._heard, last = monotonic(), event.id
                    if event.kind == "log":
                        self._cursor = str(event.data["cursor"])
                        text = (self._cursor, event.data["source"], event.data["text"])
                        click.echo(plain(as_text([text])), nl=False)
                    if event.kind == "end":
                        return self._client.run(self._run_id)
            except AwayError as error:
                self._wait(error)
            sleep(EVERY_SECONDS)

    def ask_again(self) -> dict[str, Any]:
        while True:
            try:
                # In this order: the log of a run that has ended is whole.
                run = self._client.run(self._run_id)
                self._heard = self._heard or monotonic()
                text, self._cursor = self._client.log(self._run_id, self._cursor)
            except AwayError as error:
                self._wait(error)
            else:
                self._heard = monotonic()
                click.echo(plain(text), nl=False)
                if run["finished_at"]:
                    return run
            sleep(EVERY_SECONDS)

    def _wait(self, error: AwayError) -> None:
        """Go on waiting, or give up."""
        if self._heard is None or monotonic() - self._heard > AWAY_SECONDS:
            raise error
