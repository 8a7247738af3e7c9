"""Git's smart HTTP protocol: each request goes through `git http-backend` as CGI."""

import os
import shutil
import subprocess
import tempfile
from typing import IO

from flask import Blueprint, Response, g, request
from werkzeug.wsgi import FileWrapper

from tests.stand_ins.github.git import ENVIRONMENT, Git
from tests.stand_ins.github.model import LOGIN, StandInError
from tests.stand_ins.github.web import hub

BLOCK = 65536
SERVICES = ("git-upload-pack", "git-receive-pack")

routes = Blueprint("git", __name__)


@routes.get("/<owner>/<name>/info/refs")
def list_refs(owner: str, name: str) -> Response:
    """What a clone, fetch or push asks first."""
    return _serve(owner, name, "info/refs", request.args.get("service", ""))


@routes.post("/<owner>/<name>/<any('git-upload-pack', 'git-receive-pack'):service>")
def transfer(owner: str, name: str, service: str) -> Response:
    """The objects themselves, in either direction; a push is announced to the hooks."""
    if service == "git-upload-pack":
        return _serve(owner, name, service, service)
    full_name = f"{owner}/{name.removesuffix('.git')}"
    with hub().lock_of(full_name):
        before = _refs(full_name)
        response = _serve(owner, name, service, service)
        if response.status_code == 200:
            hub().pushed(full_name, before, _refs(full_name))
    return response


def _refs(full_name: str) -> dict[str, str]:
    try:
        return hub().git(full_name).refs()
    except StandInError:
        return {}


def _serve(owner: str, name: str, path: str, service: str) -> Response:
    full_name = f"{owner}/{name.removesuffix('.git')}"
    try:
        repo, git = hub().repository(full_name), hub().git(full_name)
    except StandInError:
        return _refused(404 if not g.complaint else 401, "Repository not found.")
    if g.complaint and (repo.private or service != "git-upload-pack"):
        return _refused(401, "Invalid username or token.")
    if service not in SERVICES:
        return _refused(403, "Please upgrade your git client.")
    return _backend(git, path)


def _refused(status: int, message: str) -> Response:
    response = Response(f"{message}\n", status, mimetype="text/plain")
    if status == 401:
        response.headers["WWW-Authenticate"] = 'Basic realm="GitHub"'
    return response


def _backend(git: Git, path: str) -> Response:
    # Files at both ends: the size of a chunked upload is known only when it is here, and
    # neither side can block the other.
    answer = tempfile.TemporaryFile()  # noqa: SIM115 - the response closes it
    with tempfile.TemporaryFile() as sent:
        shutil.copyfileobj(request.stream, sent)
        environment = _cgi(git, path, sent.tell())
        sent.seek(0)
        command = ["git", "http-backend"]
        subprocess.run(command, stdin=sent, stdout=answer, env=environment, check=False)
    answer.seek(0)
    headers = _headers(answer)
    start = answer.tell()
    headers["Content-Length"] = str(answer.seek(0, os.SEEK_END) - start)
    answer.seek(start)
    status = int(headers.pop("Status", "200").split()[0])
    return Response(FileWrapper(answer, BLOCK), status, headers, direct_passthrough=True)


def _cgi(git: Git, path: str, length: int) -> dict[str, str]:
    given = {
        "CONTENT_TYPE": request.headers.get("Content-Type"),
        "HTTP_CONTENT_ENCODING": request.headers.get("Content-Encoding"),
        "GIT_PROTOCOL": request.headers.get("Git-Protocol"),
        "REMOTE_USER": None if g.complaint else LOGIN,
    }
    return ENVIRONMENT | {
        "GIT_PROJECT_ROOT": str(git.path),
        "GIT_HTTP_EXPORT_ALL": "1",
        "GATEWAY_INTERFACE": "CGI/1.1",
        "REQUEST_METHOD": request.method,
        "PATH_INFO": f"/{path}",
        "QUERY_STRING": request.query_string.decode(),
        "CONTENT_LENGTH": str(length),
        "REMOTE_ADDR": request.remote_addr or "",
        **{key: value for key, value in given.items() if value is not None},
    }


def _headers(answer: IO[bytes]) -> dict[str, str]:
    headers = {}
    while line := answer.readline().strip():
        name, _, value = line.decode().partition(":")
        headers[name] = value.strip()
    return headers
