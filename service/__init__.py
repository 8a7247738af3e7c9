"""The door: hears GitHub and people, answers in milliseconds."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from config.server import Operator
    from config.settings import Settings


def create_app(chosen: "Settings | None" = None, operator: "Operator | None" = None) -> "Flask":
    """Return the web process's application, from its settings and the operator's file."""
    # The `slipway` command is in this package too, and has no use for Flask and its second.
    from service.application import wired

    return wired(chosen, operator)
