"""GET /openapi.json: what the API takes and answers, for programs."""

from flask import Blueprint, Response, current_app, jsonify

from service.api.openapi.document import document
from service.web import Web

blueprint = Blueprint("openapi", __name__)


@blueprint.get("/openapi.json")
def openapi() -> Response:
    """This description of the API."""
    web = Web.current()
    return jsonify(document(current_app, web.url))
