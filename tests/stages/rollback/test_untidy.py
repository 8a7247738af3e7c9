"""What a run has left behind is said on its page and in its JSON, not in its log alone."""

import time

import pytest

from tests.aws.wire import Answer, Request, refusal
from tests.dashboard.conftest import Reader
from tests.stages.rollback.conftest import SITE, A, B, Harbour
from workers.ledger import keys
from workers.ledger.model.run import Run, State

BEARER = {"Authorization": "Bearer alices-own-token"}
PER_KEY = (
    b"<DeleteResult><Error><Key>slipway/sites/production/a.json</Key><Code>AccessDenied</Code>"
    b"<Message>Access Denied</Message></Error></DeleteResult>"
)
BY_AWS = "User: x is not authorized to perform: s3:DeleteObject on resource: y"


def released(harbour: Harbour, page: str) -> Run:
    """A site that goes live, and keeps what the one before had for no time at all."""
    run_id = harbour.accept(A, page=page)
    key = f"{keys.RUN}{run_id}"
    pipeline = harbour.inside.redis.hget(key, "pipeline")
    harbour.inside.redis.hset(key, "pipeline", pipeline + 'keep = "1s"\n')
    run = harbour.ended(run_id)
    assert run.state is State.SUCCEEDED, harbour.story(run_id)
    return run


def shown(harbour: Harbour, run: Run) -> list[dict[str, str]]:
    """What the run's JSON says."""
    answer = harbour.inside.web.get(f"/api/v1/runs/{run.id}", headers=BEARER)
    return list(answer.json["untidy"])


def page(harbour: Harbour, run: Run) -> str:
    """The run's page as somebody reads it who has signed in."""
    reader = Reader(harbour.inside.web.application)
    assert reader.sign_in("alices-own-token").status_code == 303
    return reader.text(f"/runs/{run.id}")


def partly(harbour: Harbour, monkeypatch: pytest.MonkeyPatch) -> list[Request]:
    """S3 answers a removal with 200, and that each object may not be removed."""
    struck: list[Request] = []
    forward = harbour.strict.forward

    def answer(request: Request) -> Answer:
        if request.operation != "DeleteObjects":
            return forward(request)
        struck.append(request)
        return Answer(200, {"Content-Type": "application/xml"}, PER_KEY)

    monkeypatch.setattr(harbour.strict, "forward", answer)
    return struck


def test_with_the_permission_nothing_is_left(harbour: Harbour) -> None:
    """Old files go, and there is nothing to say."""
    released(harbour, "<p>one")
    released(harbour, "<p>two")
    time.sleep(1.1)
    before = len(harbour.cloud.objects(SITE))
    run = released(harbour, "<p>three")
    assert harbour.strict.calls["DeleteObjects"] > 0
    assert len(harbour.cloud.objects(SITE)) <= before
    assert shown(harbour, run) == []
    assert "Not all of it was tidied up" not in page(harbour, run)


@pytest.mark.parametrize("how", ["whole", "named", "per object"])
def test_a_missing_delete_object_is_on_the_run(
    harbour: Harbour, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """The site is live all the same; page and JSON name the action, however S3 refuses."""
    released(harbour, "<p>one")
    released(harbour, "<p>two")
    time.sleep(1.1)
    struck = partly(harbour, monkeypatch) if how == "per object" else []
    if how != "per object":
        message = BY_AWS if how == "named" else "Access Denied"
        harbour.strict.fail_next("DeleteObjects", status=403, code="AccessDenied", message=message)
    run = released(harbour, "<p>three")
    assert struck or harbour.strict.struck["DeleteObjects"] == 1
    assert harbour.cloud.read(SITE, "production/index.html") == b"<p>three"
    (untidy,) = shown(harbour, run)
    assert untidy["what"] == f"s3://{SITE}/production/"
    for text in ("old files stay until the next release", "operator's turn", "s3:DeleteObject"):
        assert text in untidy["why"]
    assert untidy["why"].count("s3:DeleteObject") == 1
    text = page(harbour, run)
    assert "Not all of it was tidied up" in text
    assert "s3:DeleteObject" in text


@pytest.mark.parametrize("allowed", [True, False])
def test_an_alias_that_could_not_be_put_back_is_on_the_run(harbour: Harbour, allowed: bool) -> None:
    """A new alias can't be taken away without lambda:DeleteAlias: the run names what stays."""
    work = harbour.strict._work
    denied = {"CreateAlias"} if allowed else {"CreateAlias", "DeleteAlias"}
    struck = []

    def refuse(request: Request) -> Answer:
        name = request.operation
        if name not in denied or (name, request.function) == ("CreateAlias", A):
            return work(request)
        struck.append(name)
        return refusal(request, 403, "AccessDeniedException", f"no lambda:{name}", {})

    harbour.strict._work = refuse
    # A's alias is made before B's is refused.
    hold = harbour.strict.hold("CreateAlias", B)
    run_id = harbour.accept(A, B)
    thread = harbour.begin(run_id, hold)
    harbour.until_live(A, harbour.inside.run(run_id).order.commit)
    hold.open()
    thread.join()
    run = harbour.ended(run_id)
    assert run.state is State.FAILED
    assert set(struck) == denied
    assert (harbour.alias(A) is None) is allowed
    if allowed:
        assert shown(harbour, run) == []
        return
    (untidy,) = shown(harbour, run)
    assert untidy["what"] == f"{A}:production"
    assert "production may still run version 1" in untidy["why"]
    assert "lambda:DeleteAlias" in page(harbour, run)
