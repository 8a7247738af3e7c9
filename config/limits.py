"""How much of what comes from a repository is taken; docs/limits.md says what each one is for."""

SOURCE_FILES = 250_000
"""Files, links and folders of a commit that are written to disk."""
SOURCE_BYTES = 2 << 30
"""Bytes of a commit's files, each counted as often as the commit holds it."""
SOURCE_PATHS = 64 << 20
"""Bytes of all paths of a commit together."""

FETCHED_BYTES = 10 << 30
"""Bytes of a mirror's packs, where SLIPWAY_FETCH_DISK says nothing else."""

GIT_OUTPUT = 64 << 20
"""Bytes of what git prints that are read."""
GIT_COMPLAINT = 32 << 10
"""Bytes of git's complaints that are kept."""

SUBJECT = 300
"""Characters of a commit's first line."""

DOCKERFILE = 1_000_000
"""Bytes of a Dockerfile."""

MANIFEST = 1_000_000
"""Bytes of slipway.toml, package.json, pyproject.toml, requirements.txt, go.mod."""

LISTED = 10_000
"""Names of one folder that a preset looks at."""

RECORDED = 20_000
"""Characters of one text, such as an error, on a run's record."""

OUTPUT_FILES = 250_000
"""Files and links, and as many folders, in what a build or a check puts out."""
OUTPUT_BYTES = 16 << 30
"""Bytes of what is read of a build's output, wanted or not."""
OUTPUT_FILE = 5 << 30
"""Bytes of one file in it: what S3 takes in one request."""
OUTPUT_NAME = 4096
"""Bytes of a name or a link's target in it: Linux's PATH_MAX."""
OUTPUT_NAMES = 64 << 20
"""Characters of all names and folders in it together."""
LINK_STEPS = 10_000_000
"""Parts of paths that are walked to follow the links of one package."""
LINK_TRAIL = 40
"""Links inside what links lead to: as many as Linux follows in one path."""

PATTERNS = 200
"""Paths or globs in one list of slipway.toml."""
PATTERN_SECONDS = 60.0
"""Seconds that a build's names are matched with all patterns of its functions."""

PATH = 1024
"""Characters of one path or glob in slipway.toml."""
COMMAND = 100_000
"""Bytes of a check's command: Linux takes 128 KiB in one argument (execve(2))."""
ARGUMENT = 32_768
"""Bytes of a build argument in slipway.toml."""
ARGUMENTS = 200
"""Build arguments of slipway.toml."""
WORDS = 1 << 20
"""Bytes of all arguments of one build as Docker's client is called: half of what Linux takes."""
WORD = 131_000
"""Bytes of one of them."""

PACKAGES_BYTES = 10 << 30
"""Bytes of the distinct packages made out of one image."""

SCANNER_ERRORS = 1000
"""Lines of a scanner's output that are kept because they speak of an error."""
SCANNED_REPORTS = 100 << 20
"""Bytes of checks' reports that a scanner is given: a worker holds them in memory."""
