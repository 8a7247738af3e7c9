"""Finds what runs have left on the engine, by its labels, and removes it."""

from collections.abc import Callable, Mapping
from contextlib import suppress

from docker.errors import APIError

from workers.docker.engine import Engine

RUN = "slipway.run"
FENCE = "slipway.fence"
LEDGER = "slipway.ledger"


def labels(run_id: str, fence: int, ledger: str = "") -> dict[str, str]:
    """The labels of everything that a run makes while it holds its lease in this ledger."""
    return {RUN: run_id, FENCE: str(fence), LEDGER: ledger}


def sweep(engine: Engine, is_live: Callable[[str, int], bool], ledger: str = "") -> int:
    """Remove the containers and images of one ledger's runs that are not live; how many went.

    Other ledgers' are left alone: two Slipways may share an engine.

    Raises:
        PassingError: the engine does not answer.
    """
    return _remove(
        engine, f"{LEDGER}={ledger}", lambda found: not is_live(found[RUN], _fence(found))
    )


def remove_run(engine: Engine, run_id: str) -> int:
    """Remove the containers and images of one run; how many there were.

    Raises:
        PassingError: the engine does not answer.
    """
    return _remove(engine, f"{RUN}={run_id}", lambda _found: True)


def prune_cache(engine: Engine, keep: int) -> int:
    """Bring BuildKit's cache down to so many bytes, the longest unused first; how many went.

    Raises:
        PassingError: the engine does not answer.
        OurError: it refused.
    """
    with engine.reached():
        return int(engine.client.api.prune_builds(keep_storage=keep).get("SpaceReclaimed") or 0)


def _remove(engine: Engine, label: str, unwanted: Callable[[Mapping[str, str]], bool]) -> int:
    removed = 0
    with engine.reached():
        api = engine.client.api
        for container in api.containers(all=True, filters={"label": label}):
            if unwanted(container["Labels"]):
                # Somebody else may be removing it at this moment.
                with suppress(APIError):
                    api.remove_container(container["Id"], force=True, v=True)
                    removed += 1
        for image in api.images(filters={"label": label}):
            if unwanted(image["Labels"]):
                with suppress(APIError):
                    api.remove_image(image["Id"], force=True)
                    removed += 1
    return removed


def _fence(found: Mapping[str, str]) -> int:
    text = found.get(FENCE, "")
    return int(text) if text.isascii() and text.isdigit() else -1
