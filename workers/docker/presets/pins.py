"""The tools that presets bring into a build, each in one version."""

UV = "uv==0.13.9"
POETRY = ("poetry==2.5.1", "poetry-plugin-export==1.10.1")
# PDM of that version does not work with hishel 2.
PDM = ("pdm==2.29.4", "hishel==1.4.0")
PIPENV = ("pipenv==2026.10.3",)

PNPM = "9"
"""Where package.json names none; it reads the lock files of 8 to 10."""
YARN = "1.22.22"
ESBUILD = "0.28.2"
