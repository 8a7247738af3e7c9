"""The JSON API over real HTTP: who may ask, and what is answered."""

import re

import pytest
import requests

from tests.service.conftest import push
from tests.stand_ins.slipway import TOKEN

UNKNOWN = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def ids(door):
    """Five runs, the last one first."""
    answers = [door.send(push(after=f"{n:040x}"))[1]["run_id"] for n in range(1, 6)]
    return answers[::-1]


@pytest.mark.parametrize("path", ["/runs", f"/runs/{UNKNOWN}", f"/tasks/{UNKNOWN}"])
@pytest.mark.parametrize(
    "header", [None, "Bearer", "Bearer wrong", "Basic dGVzdHM6eA==", "Bearer \xe9"]
)
def test_nothing_without_a_token(slipway, path, header):
    """No token, a wrong one or another scheme: 401 as problem JSON, known or unknown the run."""
    headers = {"Authorization": header.encode("latin-1")} if header else {}
    answer = requests.get(f"{slipway.url}/api/v1{path}", headers=headers, timeout=5)
    assert answer.status_code == 401
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_probes_need_no_token(slipway, door, path):
    """Probes and Prometheus ask without a token."""
    assert requests.get(f"{slipway.url}{path}", timeout=5).status_code == 200


def test_runs_are_paged_newest_first(slipway, ids):
    """Cursors lead through the history without a gap."""
    first = slipway.get("/api/v1/runs", limit=2).json()
    second = slipway.get("/api/v1/runs", limit=3, cursor=first["cursor"]).json()
    assert [run["id"] for run in first["runs"] + second["runs"]] == ids
    assert second["cursor"] is None


def test_runs_are_filtered(slipway, ids):
    """Each filter of the query narrows the history."""
    for filters, found in (
        ({"repository": "Watchlist/Movies-Loader"}, 5),
        ({"repository": "watchlist/other"}, 0),
        ({"branch": "develop"}, 5),
        ({"branch": "master"}, 0),
        ({"state": "queued"}, 5),
        ({"state": "failed"}, 0),
        ({"environment": "sandbox", "purpose": "deploy"}, 5),
        ({"commit": f"{3:040x}"}, 1),
        ({"since": "2020-01-01T00:00:00Z"}, 5),
        ({"since": "0001-01-01T00:00:00"}, 5),
        ({"until": "2020-01-01T00:00:00Z"}, 0),
    ):
        assert len(slipway.runs(**filters)) == found, filters


@pytest.mark.parametrize(
    "query", [{"limit": 0}, {"limit": 201}, {"state": "odd"}, {"since": "x"}, {"wat": 1}]
)
def test_a_wrong_query_is_refused_by_name(slipway, door, query):
    """An unknown filter or a wrong value is answered 400 with its name."""
    answer = slipway.get("/api/v1/runs", **query)
    assert answer.status_code == 400
    assert next(iter(query)) in answer.json()["detail"]


@pytest.mark.parametrize("path", [f"/runs/{UNKNOWN}", f"/runs/{UNKNOWN}/log", f"/tasks/{UNKNOWN}"])
def test_the_unknown_is_not_found(slipway, door, path):
    """An unknown run or task is answered 404 as problem JSON."""
    answer = slipway.get(f"/api/v1{path}")
    assert answer.status_code == 404
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_a_runs_json_has_the_fields_of_the_contract(slipway, ids):
    """Scripts rely on these names."""
    run = slipway.run(ids[0])
    assert {
        "id",
        "repository",
        "ref",
        "commit",
        "purpose",
        "environment",
        "pull_request",
        "state",
        "stages",
        "releases",
        "created_at",
        "finished_at",
        "url",
    } <= set(run)
    assert {"name", "state", "started_at", "finished_at", "error"} <= set(run["stages"][0])


def test_a_queued_run_is_cancelled(slipway, ids):
    """A run that waits ends at once; cancelling it again is a conflict."""
    path = f"{slipway.url}/api/v1/runs/{ids[0]}/cancel"
    headers = {"Authorization": slipway._http.headers["Authorization"]}
    assert requests.post(path, headers=headers, timeout=5).json() == {"state": "cancelled"}
    run = slipway.run(ids[0])
    assert (run["state"], run["error"]) == ("cancelled", "cancelled by tests")
    assert requests.post(path, headers=headers, timeout=5).status_code == 409


def test_metrics_count(slipway, ids):
    """What was accepted and what waits is counted for Prometheus."""
    text = slipway.get("/metrics").text
    assert "slipway_runs_accepted_total 5.0" in text
    assert "slipway_due 5.0" in text


def test_other_paths_and_methods_are_problems(slipway):
    """Whatever else is asked for is answered as problem JSON, never with a 500."""
    assert slipway.get("/nothing").status_code == 404
    answer = requests.delete(f"{slipway.url}/api/v1/runs", timeout=5)
    assert answer.status_code in (401, 405)
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_a_run_without_success_is_repeated(slipway, ids):
    """Retrying makes one new run of the order; a second try, or a living run, is a conflict."""
    headers = {"Authorization": slipway._http.headers["Authorization"]}

    def post(run_id, verb):
        url = f"{slipway.url}/api/v1/runs/{run_id}/{verb}"
        return requests.post(url, headers=headers, timeout=5)

    assert post(ids[0], "retry").status_code == 409
    post(ids[0], "cancel")
    answer = post(ids[0], "retry")
    assert answer.status_code == 202
    again = slipway.run(answer.json()["run_id"])
    assert (again["commit"], again["state"]) == (slipway.run(ids[0])["commit"], "queued")
    assert post(ids[0], "retry").status_code == 409
    assert post(UNKNOWN, "retry").status_code == 404


def test_environments_are_the_operators(slipway, door):
    """Who may read sees what there is; releases of an unknown one are not found."""
    names = [one["name"] for one in slipway.get("/api/v1/environments").json()["environments"]]
    assert names == ["sandbox", "staging", "production"]
    assert slipway.get("/api/v1/environments/sandbox/releases").json() == {"releases": []}
    assert slipway.get("/api/v1/environments/moon/releases").status_code == 404


@pytest.mark.parametrize(
    "query",
    [{"limit": 0}, {"limit": 201}, {"limit": "x"}, {"offset": -1}, {"offset": 10**20}, {"wat": 1}],
)
def test_a_wrong_page_of_releases_is_refused_by_name(slipway, door, query):
    """As in the history of runs; a number too large is no fault of the ledger's."""
    answer = slipway.get("/api/v1/environments/sandbox/releases", **query)
    assert answer.status_code == 400
    assert next(iter(query)) in answer.json()["detail"]


def test_a_session_alone_changes_nothing(slipway, ids):
    """A cookie may read, but an action wants a token: no other site can act through a browser."""
    browser = requests.Session()
    page = browser.get(f"{slipway.url}/sign-in", timeout=5).text
    (csrf,) = re.findall(r'name="csrf_token" value="([^"]+)"', page)
    form = {"csrf_token": csrf, "token": TOKEN}
    answer = browser.post(f"{slipway.url}/sign-in", data=form, timeout=5)
    assert answer.status_code == 200, answer.text
    url = f"{slipway.url}/api/v1/runs/{ids[0]}"
    assert browser.get(url, timeout=5).status_code == 200
    assert browser.post(f"{url}/cancel", timeout=5).status_code == 401
    assert slipway.run(ids[0])["state"] == "queued"
