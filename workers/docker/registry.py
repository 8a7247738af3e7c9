"""Images of others, brought to the engine when it doesn't hold them yet."""

import re

from docker.errors import APIError, ImageNotFound

from workers.docker.engine import Engine
from workers.ledger.model.errors import OurError, PassingError
from workers.ledger.model.guard import Say, Watch

_UNKNOWN = re.compile(r"not found|unknown|denied|unauthori[sz]ed|invalid reference", re.IGNORECASE)


def ensure(engine: Engine, image: str, setting: str, *, say: Say, watch: Watch) -> None:
    """Pull an image unless it is there; `setting` is what the operator names it by.

    Raises:
        OurError: there is no such image, or not for us.
        PassingError: the engine or the registry is out of reach.
    """
    with engine.reached():
        try:
            engine.client.images.get(image)
        except ImageNotFound:
            pass
        else:
            return
    say(f"pulling {image}")
    why = _pull(engine, image, watch)
    if why is None:
        return
    text = f"the image {image} could not be pulled: {why}"
    if _UNKNOWN.search(why):
        raise OurError(f"{text}. The operator sets {setting} to one that can")
    raise PassingError(text)


def _pull(engine: Engine, image: str, watch: Watch) -> str | None:
    """Why it failed, or None."""
    with engine.reached():
        try:
            for event in engine.client.api.pull(image, stream=True, decode=True):
                watch.check()
                if "error" in event:
                    return str(event["error"])
        except APIError as error:
            return str(error.explanation or error)
    return None
