"""Lock files of each of Python's managers, small and self-written: six 1.15.0, not the newest."""

import base64
import hashlib
import io
import json
import zipfile

_WHEEL = "8b74bedcbbbaca38ff6d7491d76f2b06b3592611af620f8426e82dddb04a5ced"
_HEAD = '[project]\nname = "svc"\nversion = "1.0"\nrequires-python = ">=3.11"\n'
_PROJECT = f'{_HEAD}dependencies = ["six>=1.10,<2.0"]\n'
_FILE = "six-1.15.0-py2.py3-none-any.whl"
# What the managers make of the manifests above.
_POETRYS_HASH = "1cd674ffed30185e5b4075c59dca063c5903545870d150bda419f95d1d240e2c"
_PDMS_HASH = "7613bf8ac25de8ae05227af6875e19a6bac77faa16f1616050424e5ec34a1d46"

_UV_SIX = f"""
[[package]]
name = "six"
version = "1.15.0"
source = {{ registry = "https://index.example.com/simple" }}
wheels = [{{ url = "https://files.example.com/{_FILE}", hash = "sha256:{_WHEEL}", size = 10963 }}]
"""
UV = {
    "pyproject.toml": _PROJECT,
    "uv.lock": f"""version = 1
revision = 3
requires-python = ">=3.11"

[[package]]
name = "svc"
version = "1.0"
source = {{ virtual = "." }}
dependencies = [{{ name = "six" }}]

[package.metadata]
requires-dist = [{{ name = "six", specifier = ">=1.10,<2.0" }}]
{_UV_SIX}""",
}
UV_WORKSPACE = {
    "pyproject.toml": f"{_HEAD}[tool.uv.workspace]\nmembers = ['packages/*', 'functions/*']\n",
    "packages/common/pyproject.toml": '[project]\nname = "common"\nversion = "1"\n'
    'dependencies = ["six"]\n[build-system]\nrequires = ["hatchling"]\n'
    'build-backend = "hatchling.build"\n',
    "packages/common/src/common/__init__.py": "import six\nX = f'{six.__version__} of common'\n",
    "functions/a/pyproject.toml": '[project]\nname = "a"\nversion = "1"\n'
    'dependencies = ["common"]\n[tool.uv.sources]\ncommon = { workspace = true }\n',
    "functions/a/app.py": "import common\n\n\ndef handler(e, c):\n    return common.X\n",
    "uv.lock": f"""version = 1
revision = 3
requires-python = ">=3.11"

[manifest]
members = ["a", "common", "svc"]

[[package]]
name = "a"
version = "1"
source = {{ virtual = "functions/a" }}
dependencies = [{{ name = "common" }}]

[package.metadata]
requires-dist = [{{ name = "common", editable = "packages/common" }}]

[[package]]
name = "common"
version = "1"
source = {{ editable = "packages/common" }}
dependencies = [{{ name = "six" }}]

[package.metadata]
requires-dist = [{{ name = "six" }}]

[[package]]
name = "svc"
version = "1.0"
source = {{ virtual = "." }}
{_UV_SIX}""",
}
_POETRYS = f"""[[package]]
name = "six"
version = "1.15.0"
description = ""
optional = false
python-versions = "*"
groups = ["main"]
files = [{{file = "{_FILE}", hash = "sha256:{_WHEEL}"}}]

[metadata]
lock-version = "2.1"
python-versions = ">=3.11"
content-hash = "{_POETRYS_HASH}"
"""
POETRY = {"pyproject.toml": _PROJECT, "poetry.lock": _POETRYS}
POETRY_STALE = {**POETRY, "pyproject.toml": _PROJECT.replace("1.10", "1.16")}
PDM = {
    "pyproject.toml": _PROJECT,
    "pdm.lock": f"""[metadata]
groups = ["default"]
strategy = ["inherit_metadata"]
lock_version = "4.5.1"
content_hash = "sha256:{_PDMS_HASH}"

[[metadata.targets]]
requires_python = ">=3.11"

[[package]]
name = "six"
version = "1.15.0"
summary = ""
groups = ["default"]
files = [{{file = "{_FILE}", hash = "sha256:{_WHEEL}"}}]
""",
}
PIPFILE = {
    "Pipfile": '[packages]\nsix = ">=1.10,<2.0"\n',
    "Pipfile.lock": json.dumps(
        {
            "_meta": {
                "hash": {"sha256": "of an older Pipenv"},
                "pipfile-spec": 6,
                "requires": {},
                "sources": [],
            },
            "default": {"six": {"hashes": [f"sha256:{_WHEEL}"], "version": "==1.15.0"}},
            "develop": {},
        }
    ),
}


def _wheel() -> bytes:
    """A wheel that calls itself six."""
    info = "six-1.15.0.dist-info"
    files = {
        "six.py": '__version__ = "1.15.0"\n',
        f"{info}/METADATA": "Metadata-Version: 2.1\nName: six\nVersion: 1.15.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    rows = [f"{name},{_digest(text)},{len(text)}" for name, text in files.items()]
    files[f"{info}/RECORD"] = "\n".join((*rows, f"{info}/RECORD,,", ""))
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as packed:
        for name, text in files.items():
            packed.writestr(zipfile.ZipInfo(name), text)
    return data.getvalue()


def _digest(text: str) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest())
    return f"sha256={digest.decode().rstrip('=')}"


_OWN = _wheel()
_OWNS = hashlib.sha256(_OWN).hexdigest()
PYLOCK: dict[str, str | bytes] = {
    f"wheels/{_FILE}": _OWN,
    "pylock.toml": f"""lock-version = "1.0"
created-by = "by hand"

[[packages]]
name = "six"
version = "1.15.0"

[[packages.wheels]]
name = "{_FILE}"
path = "wheels/{_FILE}"
hashes = {{ sha256 = "{_OWNS}" }}
""",
}
