"""What a check, a build and a whole task may use, of what the operator's file and variables say."""

from typing import NamedTuple

from config.pipeline import Pipeline
from config.server.builds import Limits, size_bytes
from config.settings.limits import LimitSettings

UNKNOWN_SECONDS = 3 * 3600.0
"""The most that one task may take whose own limits are not known: to fetch, to report, to sweep."""

_REST_SECONDS = 2 * 3600.0
"""For what comes after the build: uploads, and the waits of AWS and GitHub."""


class Allowed(NamedTuple):
    """Memory as Docker writes it, processors, processes, disk in bytes, and seconds of each."""

    memory: str
    cpus: float
    pids: int
    disk: int
    check_seconds: float
    build_seconds: float


def allowed(settings: LimitSettings, limits: Limits) -> Allowed:
    """What one check and one build may use: the file's word, else the variable's."""
    return Allowed(
        memory=limits.memory or settings.check_memory,
        cpus=limits.cpus or settings.check_cpus,
        pids=limits.pids or settings.check_pids,
        disk=size_bytes(limits.disk or settings.check_disk),
        check_seconds=limits.timeout or settings.check_seconds,
        build_seconds=limits.timeout or settings.build_seconds,
    )


def task_seconds(may: Allowed, pipeline: Pipeline, at_once: int) -> float:
    """The most that one task may take at a run: above the sum of all limits on its way."""
    checks = pipeline.test.checks if pipeline.test else {}
    turns = -(-len(checks) // at_once)
    scans = 1 if pipeline.sonar else 0
    images = 1 + len(pipeline.functions) + (1 if pipeline.site else 0)
    work = may.check_seconds * (turns + scans) + may.build_seconds * images
    return UNKNOWN_SECONDS + _REST_SECONDS + work
