"""The JSON body and the query of a request, as a model says what may be in them."""

from typing import TypeVar

from flask import abort, request
from pydantic import BaseModel, ValidationError

from config.values import first

M = TypeVar("M", bound=BaseModel)


def read(model: type[M]) -> M:
    """The request's body, whatever its content type says; none at all counts as `{}`.

    Aborts with 400 and the first problem.
    """
    try:
        return model.model_validate_json(request.get_data() or b"{}")
    except ValidationError as error:
        abort(400, first(error))


def query(model: type[M]) -> M:
    """The request's query; aborts with 400 and the first problem."""
    try:
        return model.model_validate(request.args.to_dict())
    except ValidationError as error:
        abort(400, first(error))
