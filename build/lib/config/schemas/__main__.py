"""Write the JSON Schemas next to this file, or into the folder given, after a model changed."""

import sys
from pathlib import Path

from config.schemas import write

write(*map(Path, sys.argv[1:]))
