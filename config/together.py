"""The one way to do the same with several things at once."""

from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")

AT_ONCE = 8


def together(work: Callable[[T], R], items: Iterable[T], at_once: int = AT_ONCE) -> list[R]:
    """Returns what `work` makes of each item, in their order, `at_once` of them at the same time.

    After a fault no other begins; those under way end before the first fault is raised.
    """
    with ThreadPoolExecutor(at_once) as pool:
        futures = [pool.submit(work, item) for item in items]
        if any(one.exception() for one in wait(futures, return_when=FIRST_EXCEPTION).done):
            pool.shutdown(cancel_futures=True)
        # Those that were cancelled come after one that failed, for they begin in this order.
        return [one.result() for one in futures]
