"""The budget keeps all workers together under Lambda's control-plane quota."""

import time

import pytest

from tests.aws.conftest import REGION
from workers.aws.budget import ALONE_PER_SECOND, CALLS_PER_SECOND, Budget, Quota
from workers.aws.faults import ThrottledError
from workers.aws.session import Aws
from workers.ledger.budgets import Budgets
from workers.ledger.connection import hasty

ROLE = "arn:aws:iam::123456789012:role/deploy"


class Nobody:
    """A shared budget that can't be asked."""

    def reserve(self, name, rate):
        """Nobody can say."""
        return

    def pause(self, name, seconds):
        """Nobody hears."""


def budget(shared=None):
    """The budget of one place."""
    return Budget(lambda: "123456789012/eu-west-3", shared)


def lists(aws, times):
    """Make so many calls to the control plane; when each was answered."""
    answered = []
    for _ in range(times):
        aws.lambda_.list_aliases(FunctionName="Store")
        answered.append(time.monotonic())
    return answered


@pytest.fixture
def shared(redis, redis_server):
    """What all workers share."""
    return Budgets(hasty(redis_server.url))


def test_calls_beyond_the_budget_wait():
    """A burst of one second's calls is free; the next ones come a second later."""
    ours = budget()
    quota = Quota("control", 50)
    start = time.monotonic()
    assert [ours.take(quota) for _ in range(50)] == [0] * 50
    for _ in range(51):
        ours.take(quota)
    assert 2 <= time.monotonic() - start < 4


def test_operations_with_a_quota_of_their_own_do_not_wait_for_the_others():
    """GetFunction may be polled while the control plane's budget is used up."""
    ours = budget()
    for _ in range(CALLS_PER_SECOND):
        ours.take()
    start = time.monotonic()
    for _ in range(90):
        ours.before_send("before-send.lambda.GetFunction")
        ours.before_send("before-send.lambda.Invoke")
    assert time.monotonic() - start < 0.5


def test_each_control_plane_call_is_counted(aws, cloud):
    """The budget sits in the client: the call after two seconds' worth comes two seconds later."""
    cloud.function("Store")
    _ = aws.lambda_
    start = time.monotonic()
    answered = lists(aws, 2 * CALLS_PER_SECOND + 1)
    assert answered[-1] - start >= 2


def test_a_process_that_cannot_ask_goes_on_slowly():
    """Without the shared budget AWS is still asked, at a rate that leaves room for others."""
    alone = budget(Nobody())
    waits = [alone.take() for _ in range(ALONE_PER_SECOND + 1)]
    assert waits[:ALONE_PER_SECOND] == [0] * ALONE_PER_SECOND
    assert waits[-1] > 0.5


def test_redis_that_is_gone_stops_no_call(cloud, tmp_path):
    """A deploy's calls go through when Redis dies, and the rest of them lose no time on it."""
    from local.redis import EmbeddedRedis

    cloud.function("Store")
    with EmbeddedRedis(tmp_path / "redis") as server:
        aws = Aws(REGION, endpoint_url=cloud.strict.url, shared=Budgets(hasty(server.url)))
        lists(aws, 1)
        server.kill()
        start = time.monotonic()
        lists(aws, ALONE_PER_SECOND)
        assert time.monotonic() - start < 3


def test_sessions_of_one_account_share_its_quota(cloud, shared):
    """A role's session and the process's own, of one account and region, take turns."""
    cloud.function("Store")
    own = Aws(REGION, endpoint_url=cloud.strict.url, shared=shared)
    role = Aws(REGION, ROLE, endpoint_url=cloud.strict.url, shared=shared)
    assert own.account == role.account == "123456789012"
    lists(own, 1)
    lists(role, 1)
    start = time.monotonic()
    lists(own, CALLS_PER_SECOND - 1)
    lists(role, CALLS_PER_SECOND)
    assert time.monotonic() - start > 0.5


def test_another_region_has_a_quota_of_its_own(cloud, shared):
    """What one region's callers use up, those of another one still have."""
    cloud.function("Store")
    lists(Aws(REGION, endpoint_url=cloud.strict.url, shared=shared), 1)
    for _ in range(2 * CALLS_PER_SECOND):
        shared.reserve(f"123456789012/{REGION}/control", CALLS_PER_SECOND)
    other = Aws("eu-west-1", endpoint_url=cloud.strict.url, shared=shared)
    _ = other.account
    with pytest.raises(other.lambda_.exceptions.ResourceNotFoundException):
        lists(other, 1)
    assert shared.reserve(f"123456789012/{REGION}/control", CALLS_PER_SECOND) > 0.5
    assert shared.reserve("123456789012/eu-west-1/control", CALLS_PER_SECOND) == 0


def test_one_who_is_told_to_wait_makes_all_wait(cloud, shared):
    """A 429 with Retry-After holds the caller's own repetition and every other worker's call."""
    cloud.function("Store")
    one, other = (Aws(REGION, endpoint_url=cloud.strict.url, shared=shared) for _ in range(2))
    lists(one, 1)
    lists(other, 1)
    throttle = {"status": 429, "code": "TooManyRequestsException", "headers": {"Retry-After": "2"}}
    cloud.strict.fail_next("ListAliases", **throttle)
    start = time.monotonic()
    lists(one, 1)
    assert cloud.strict.struck["ListAliases"] == 1
    assert time.monotonic() - start >= 2

    cloud.strict.fail_next("ListAliases", **throttle)
    once = Aws(REGION, endpoint_url=cloud.strict.url, shared=shared, attempts=1)
    with pytest.raises(once.lambda_.exceptions.TooManyRequestsException):
        lists(once, 1)
    start = time.monotonic()
    lists(other, 1)
    assert time.monotonic() - start > 1.5


def test_throttling_of_an_invocation_stops_nobody_else(cloud, shared):
    """The function's own concurrency is no matter of the control plane."""
    from config.pipeline import Smoke
    from workers.aws.invoke import smoke
    from workers.ledger.model.run import Release

    cloud.function("Store")
    aws = Aws(REGION, endpoint_url=cloud.strict.url, shared=shared, attempts=1)
    cloud.strict.fail_next(
        "Invoke", status=429, code="TooManyRequestsException", headers={"Retry-After": "30"}
    )
    with pytest.raises(ThrottledError):
        smoke(aws, Release(function="Store", version="1"), Smoke(), print)
    assert cloud.strict.struck["Invoke"] == 1
    start = time.monotonic()
    lists(aws, 1)
    assert time.monotonic() - start < 2
