"""Rolling an environment back over HTTP."""

from flask import Blueprint, Response, jsonify

from service.access import asker
from service.actions.operated import operated
from service.actions.rollback import Wanted, back
from service.api.body import read
from service.api.present import release_of, shown
from service.web import Web
from workers.ledger import keys

blueprint = Blueprint("rollback", __name__)


@blueprint.post("/environments/<name>/rollback")
def rollback(name: str) -> Response:
    """Roll an environment back, and hold it."""
    web = Web.current()
    operated(web, name, asker())
    run = back(web, name, asker(), read(Wanted))
    response = jsonify(
        run_id=run.id,
        environment=name,
        repository=run.order.repository,
        commit=run.order.commit,
        releases=[release_of(release) for release in run.releases],
        locked=shown(web.ledger.locks.of(name)),
        repositories=len(_deploying(web, name)),
        url=f"{web.url}/runs/{run.id}",
    )
    response.status_code = 202
    return response


def _deploying(web: Web, name: str) -> set[str]:
    """The repositories whose pushes the environment's lock holds back."""
    environment = web.operator.environments[name]
    history = web.ledger.history
    deployed = (run.order for run in history.deployed())
    found = {order.repository for order in deployed if order.environment == environment.name}
    # Runs are forgotten sooner than what they released.
    found |= {
        row.repository for row in history.released(name, 0, keys.RELEASES_KEPT) if row.repository
    }
    return {one for one in found if web.operator.repository(one) is not None}
