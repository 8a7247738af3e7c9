"""All presets, in one table: errors, `slipway check` and the documentation read it."""

from workers.docker.presets.go import GO
from workers.docker.presets.node import NODE
from workers.docker.presets.preset import Preset
from workers.docker.presets.python import PYTHON

PRESETS: tuple[Preset, ...] = (PYTHON, NODE, GO)


def serving(runtime: str) -> tuple[Preset, str] | None:
    """The preset of a runtime with the version that it asks for."""
    for preset in PRESETS:
        version = preset.serves(runtime)
        if version is not None:
            return preset, version
    return None
