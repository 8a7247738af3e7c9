"""Write the JSON Schemas next to this file: run it after a change of a model."""

from config.schemas import write

write()
