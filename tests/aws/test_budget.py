"""The budget keeps a process under Lambda's control-plane quota."""

import time

from workers.aws.budget import Budget


def test_calls_beyond_the_budget_wait():
    """A burst of one second's calls is free; what follows goes at the rate."""
    budget = Budget(rate=50)
    start = time.monotonic()
    for _ in range(75):
        budget.take()
    assert 0.4 < time.monotonic() - start < 2


def test_operations_outside_the_quota_never_wait():
    """GetFunction may be polled while the budget is used up."""
    budget = Budget(rate=5)
    start = time.monotonic()
    for _ in range(100):
        budget.before_send("before-send.lambda.GetFunction")
    assert time.monotonic() - start < 0.5


def test_each_control_plane_call_is_counted(aws, cloud):
    """The budget sits in the client: forty calls at once take at least two seconds more."""
    cloud.function("Store")
    start = time.monotonic()
    for _ in range(40):
        aws.lambda_.list_aliases(FunctionName="Store")
    assert time.monotonic() - start > 1.5
