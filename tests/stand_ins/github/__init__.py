"""A stand-in for GitHub: REST API, git over HTTP and signed webhooks on 127.0.0.1."""

from tests.stand_ins.github.client import GitHubClient
from tests.stand_ins.github.faults import Fault
from tests.stand_ins.github.hooks import sign
from tests.stand_ins.github.journal import Request
from tests.stand_ins.github.model import (
    TOKEN,
    ZEROS,
    Delivery,
    Hook,
    PullRequest,
    Repository,
    StandInError,
    Status,
)
from tests.stand_ins.github.receiver import Receiver
from tests.stand_ins.github.server import GitHub

__all__ = [
    "TOKEN",
    "ZEROS",
    "Delivery",
    "Fault",
    "GitHub",
    "GitHubClient",
    "Hook",
    "PullRequest",
    "Receiver",
    "Repository",
    "Request",
    "StandInError",
    "Status",
    "sign",
]
