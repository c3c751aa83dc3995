"""Several requests side by side, and their results in order."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from pdmigrate.errors import StoppedRequestError
from pdmigrate.wire.progress import Progress

SIDE_BY_SIDE = 6
"""Few at a time, under the limit of the account. A transport may allow fewer: then some of them wait."""

Item = TypeVar("Item")
Result = TypeVar("Result")


def run_together(
    call: Callable[[Item], Result],
    items: Iterable[Item],
    progress: Progress | None = None,
    told: str = "",
) -> list[Result]:
    """The results of the calls in order. The first error ends it; what has not begun by then is not begun.

    told: what progress calls the items, where they are counted there.
    """
    pool = ThreadPoolExecutor(SIDE_BY_SIDE)
    futures = [pool.submit(call, item) for item in items]
    if progress and futures:
        progress.count(told, 0, len(futures))
        for future in futures:
            future.add_done_callback(lambda ended: progress.add(told, not ended.cancelled() and not ended.exception()))
    waits = True
    try:
        return [future.result() for future in futures]
    except (KeyboardInterrupt, StoppedRequestError):
        waits = False  # who waits for a connection hears nothing, and is not waited for
        raise
    finally:
        pool.shutdown(wait=waits, cancel_futures=True)
