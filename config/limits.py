"""How much of what comes from a repository is taken; docs/limits.md says what each one is for."""

SOURCE_FILES = 250_000
"""Files, links and folders of a commit that are written to disk."""
SOURCE_BYTES = 2 << 30
"""Bytes of a commit's files, each counted as often as the commit holds it."""
SOURCE_PATHS = 64 << 20
"""Bytes of all paths of a commit together."""

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

RECORDED = 20_000
"""Characters of one text, such as an error, on a run's record."""
