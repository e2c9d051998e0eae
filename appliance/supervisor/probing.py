"""Asking children whether they are well, each in a thread of its own, so that nobody waits for an answer.

It says who is ready and who hangs; what to do about it is the supervisor's.
"""

import queue
import threading
from collections.abc import Callable

import structlog

from appliance.clock import Clock
from appliance.supervisor.process import Child

_log = structlog.get_logger()

_FIRST_S = 0.2
"""Seconds between probes of a child that is not ready yet."""


def probe_for_ever(
    child: Child,
    clock: Clock,
    stopping: threading.Event,
    poke: Callable[[], None],
    hung: "queue.SimpleQueue[tuple[Child, int]]",
) -> None:
    """Ask a child over all its lives, until `stopping` is set.

    Args:
        child: Gets its `ready_life`.
        clock: For the time that a start may take.
        stopping: Ends it.
        poke: Tells the supervisor to look.
        hung: Gets the child and the life in which it has failed too often.
    """
    life, failures = 0, 0
    while not stopping.wait(child.spec.probe_every_s if child.ready else _FIRST_S):
        if child.life != life:
            life, failures = child.life, 0
        if child.pid is None:
            continue
        # A long answer may come from a life that is over: it says nothing of the one after it.
        if _is_well(child):
            failures = 0
            if not child.ready:
                child.ready_life = life
                poke()
        elif child.ready or clock.monotonic() - child.started > child.spec.start_s:
            failures += 1
            if failures >= child.spec.probe_failures:
                hung.put((child, life))
                poke()


def _is_well(child: Child) -> bool:
    try:
        return child.spec.probe is not None and child.spec.probe()
    except Exception as error:  # noqa: BLE001 - whatever goes wrong, it did not say yes
        _log.debug("probe_failed", child=child.spec.name, error=type(error).__name__)
        return False
