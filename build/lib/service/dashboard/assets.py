"""Style, script and icon, under addresses that change with their content."""

from hashlib import sha256
from pathlib import Path

from flask import Blueprint, send_from_directory, url_for
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

blueprint = Blueprint("assets", __name__)

FOLDER = Path(__file__).parent / "static"
YEAR_SECONDS = 365 * 86400
_DIGESTS = {
    path.name: sha256(path.read_bytes()).hexdigest()[:12] for path in sorted(FOLDER.iterdir())
}


def address(name: str) -> str:
    """The address of a file; a browser may keep what it finds there for good."""
    return url_for("dashboard.assets.file", digest=_DIGESTS[name], name=name)


@blueprint.get("/static/<digest>/<name>")
def file(digest: str, name: str) -> Response:
    """One file; under an old digest (a page from before an update) it is the new file, not kept."""
    if name not in _DIGESTS:
        raise NotFound
    current = digest == _DIGESTS[name]
    response = send_from_directory(FOLDER, name, max_age=YEAR_SECONDS if current else 0)
    if current:
        response.cache_control.public = True
        response.cache_control.immutable = True
    return response
