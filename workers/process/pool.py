"""The worker's processes: Celery's pool, and what its reconnecting to the broker trips over."""

import errno

import structlog
from billiard.process import BaseProcess  # type: ignore[import-untyped]
from celery.concurrency.asynpool import AsynPool
from celery.concurrency.prefork import TaskPool
from kombu.asynchronous import Hub

SHORT = {errno.EMFILE, errno.ENFILE, errno.EAGAIN, errno.ENOMEM}

log = structlog.get_logger()


class Processes(AsynPool):  # type: ignore[misc]
    """Processes, of which one may end while the connection to the broker is made anew."""

    def maintain_pool(self) -> None:
        """Make a process for each that has ended; where the system has none left, a little later.

        The pool's own timer asks again; Celery takes the error for a reason to end the worker.
        """
        try:
            super().maintain_pool()
        except (OSError, MemoryError) as error:
            if isinstance(error, OSError) and error.errno not in SHORT:
                raise
            hint = "raise `ulimit -n` and `ulimit -u` of the worker"
            log.warning("process_not_made", error=str(error), hint=hint)

    def _track_child_process(self, proc: BaseProcess, hub: Hub) -> None:
        # One that has exited, but is not yet reaped, has no descriptor any more: Celery 5.7 takes
        # the None for one and ends the worker ("file descriptor is None"; celery/celery#9250 is
        # its sibling). The pool's own timer reaps it within 5 seconds.
        if getattr(proc, "_sentinel_poll", proc) is not None:
            super()._track_child_process(proc, hub)


class Pool(TaskPool):  # type: ignore[misc]
    """The pool that `worker_pool` names."""

    Pool = Processes
