"""Keeping children running: restarts with back-off, probes, an orderly stop.

One thread does everything about processes; it waits for their ends, for signals and for the
next due time in one place, and for nobody else: probes and reports have threads of their
own. A child that dies is restarted and the others are left alone. A child that says three
times in a row that its settings, models or keys are wrong ends everything, because no
restart mends those; one that is `patient` is waited for, because somebody may mend them meanwhile.
"""

import os
import queue
import selectors
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from types import FrameType

import structlog

from appliance.backoff import BackOff
from appliance.clock import Clock
from appliance.errors import (
    ApplianceError,
    CameraError,
    EnrolmentError,
    EvidenceError,
    InputError,
    ModelError,
    SettingsError,
    StoreError,
    UnknownProcessError,
    VaultError,
    WireError,
)
from appliance.events import ProcessChanged
from appliance.supervisor.notify import Notifier
from appliance.supervisor.probing import probe_for_ever
from appliance.supervisor.process import Child, Ending
from appliance.supervisor.spec import DEFAULT_BACKOFF, ChildSpec
from appliance.wire.messages import SupervisorStatus

_log = structlog.get_logger()

_FATAL: Mapping[int, type[ApplianceError]] = {
    cls.exit_code: cls for cls in (SettingsError, CameraError, ModelError, VaultError)
}
"""Exit codes that a restart cannot mend."""
_DELIBERATE: Mapping[int, type[ApplianceError]] = {
    cls.exit_code: cls
    for cls in (
        *(SettingsError, InputError, CameraError, ModelError, StoreError),
        *(VaultError, EvidenceError, WireError, EnrolmentError),
    )
}
"""Exit codes by which a process of ours says what went wrong, as opposed to a crash."""
_FATAL_TIMES = 3
_REPORT_S = 2.0
"""How long the last reports may take when everything else has stopped."""


class Supervisor:
    """Runs children until it is stopped.

    Args:
        children: In the order in which they are started; they are stopped in reverse.
        on_change: Told of every start, restart and stop, from a thread of its own, in order.
        clock: For due times; a real one, since processes take real time.
        backoff: Pause before a restart, by deaths in a row.
        healthy_s: Seconds of life after which earlier deaths are forgotten.
        grace_s: Seconds from SIGTERM to SIGKILL, for each child.
        environment: What children inherit; this process's own, if None.
        renew: Asked for a child's command line by its name before each restart, for what it is told there
            may have changed; None, or None from it: as it was. It raises nothing.
    """

    def __init__(
        self,
        children: Sequence[ChildSpec],
        on_change: Callable[[ProcessChanged], None],
        clock: Clock,
        backoff: BackOff = DEFAULT_BACKOFF,
        *,
        healthy_s: float = 60.0,
        grace_s: float = 5.0,
        environment: Mapping[str, str] | None = None,
        renew: Callable[[str], Sequence[str] | None] | None = None,
    ) -> None:
        self._renew = renew
        self._environment = dict(os.environ if environment is None else environment)
        self._children = [Child(spec, self._environment) for spec in children]
        self._on_change = on_change
        self._clock = clock
        self._backoff = backoff
        self._healthy_s = healthy_s
        self._grace_s = grace_s
        self._notifier = Notifier(self._environment)
        self._reports: queue.SimpleQueue[ProcessChanged | None] = queue.SimpleQueue()
        self._selector = selectors.PollSelector()
        self._wake: int | None = None
        # Reentrant, since a signal's handler pokes too, and may come while this thread holds it.
        self._wake_lock = threading.RLock()
        self._stopping = threading.Event()
        self._unclean: ApplianceError | None = None
        self._at_once = threading.Event()
        self._hung: queue.SimpleQueue[tuple[Child, int]] = queue.SimpleQueue()
        self._asked: queue.SimpleQueue[Child] = queue.SimpleQueue()
        self._began = 0.0
        self._told_ready = False
        self._watchdog_due = 0.0

    def run(self) -> None:
        """Start all, keep them running, and come back once all are stopped.

        In the main thread SIGTERM and SIGINT stop it; a SIGINT while it stops kills at once.

        Raises:
            SettingsError: A child ended with that exit code three times in a row. Likewise
            CameraError: with that one,
            ModelError: with that one,
            VaultError: with that one. The message is the child's last one.
            ApplianceError: A final child, or one that was being stopped, ended by saying what went wrong.
        """
        self._began = self._clock.monotonic()
        with ExitStack() as stack:
            stack.enter_context(self._waking())
            stack.enter_context(self._signals())
            stack.enter_context(self._reporting())
            stack.callback(self._stop_all)
            for child in self._children:
                if child.spec.gives_way_s:
                    child.state, child.due = "waiting", self._began + child.spec.gives_way_s
                else:
                    self._begin(child)
            for child in self._children:
                if child.spec.probe is not None:
                    threading.Thread(
                        target=probe_for_ever,
                        args=(child, self._clock, self._stopping, self._poke, self._hung),
                        name=f"probe-{child.spec.name}",
                        daemon=True,
                    ).start()
            while not self._stopping.is_set():
                self._turn()
        if self._unclean is not None:
            raise self._unclean

    def stop(self) -> None:
        """Stop everything in good order; from any thread, at any time."""
        self._stopping.set()
        self._poke()

    def restart(self, name: str) -> None:
        """Have a child end in good order and start again, from any thread; returns at once.

        One that waits for its restart is started now, and what it died of before is forgotten.

        Args:
            name: Of the child.

        Raises:
            UnknownProcessError: There is no such child.
        """
        child = next((each for each in self._children if each.spec.name == name), None)
        if child is None:
            there = ", ".join(each.spec.name for each in self._children)
            raise UnknownProcessError(f"there is no process {name[:40]!r}", hint=f"there are: {there}")
        self._asked.put(child)
        self._poke()

    def status(self) -> SupervisorStatus:
        """How the children are; from any thread."""
        return SupervisorStatus(
            pid=os.getpid(),
            uptime_s=self._clock.monotonic() - self._began,
            children=tuple(child.status() for child in self._children),
        )

    # ------------------------------------------------------------- one turn

    def _turn(self) -> None:
        now = self._clock.monotonic()
        for child in self._children:
            untried = not child.life and not child.failures
            if child.due is not None and (child.due <= now or (untried and self._way_is_free())):
                (self._begin if untried else self._restart)(child)
            if child.ready and child.state == "starting":
                child.state = "running"
        while not self._asked.empty():
            self._begin_restart(self._asked.get())
        for child in self._children:
            if child.kill_at is not None and child.kill_at <= now:
                child.kill_at = None
                child.kill(f"did not stop within {self._grace_s:g} s and was killed")
        self._tell_systemd()
        for child in self._wait(self._patience()):
            self._ended(child, self._reap(child))
        while not self._hung.empty():
            child, life = self._hung.get()
            if child.life == life and child.pid is not None:
                _log.error("child_hung", child=child.spec.name, pid=child.pid)
                child.kill(f"did not answer {child.spec.probe_failures} times and was killed")

    def _patience(self) -> float | None:
        """Seconds until something is due; None when nothing is."""
        times = [time for child in self._children for time in (child.due, child.kill_at)]
        due = [time for time in times if time is not None]
        if self._notifier.watchdog_s is not None:
            due.append(self._watchdog_due)
        return max(0.0, min(due) - self._clock.monotonic()) if due else None

    def _wait(self, seconds: float | None) -> list[Child]:
        """Children that ended within that time, or sooner none because somebody poked."""
        ended = []
        for key, _ in self._selector.select(seconds):
            if isinstance(key.data, Child):
                ended.append(key.data)
            else:
                os.eventfd_read(key.fd)
        return ended

    def _reap(self, child: Child) -> Ending:
        if child.end_fd is not None:
            self._selector.unregister(child.end_fd)
        return child.reap()

    def _start(self, child: Child, report: ProcessChanged) -> None:
        try:
            child.start(self._clock.monotonic())
        except (OSError, ValueError) as error:
            child.last_exit = f"could not be started: {getattr(error, 'strerror', None) or error}"
            self._ended(child, Ending(None, child.last_exit))
            return
        if child.end_fd is not None:
            self._selector.register(child.end_fd, selectors.EVENT_READ, child)
        _log.info(report.type, child=child.spec.name, pid=child.pid, reason=report.reason)
        self._reports.put(report)

    def _begin(self, child: Child) -> None:
        """Start a child for the first time."""
        self._start(child, ProcessChanged(type="process_started", process=child.spec.name))

    def _way_is_free(self) -> bool:
        """Whether those that go first are ready, or have shown that they cannot be for now."""
        return all(child.ready or child.failures for child in self._children if not child.spec.gives_way_s)

    def _restart(self, child: Child) -> None:
        argv = None if self._renew is None else self._renew(child.spec.name)
        if argv is not None:
            child.spec = replace(child.spec, argv=tuple(argv))
        child.restarts += 1
        self._start(
            child,
            ProcessChanged(
                type="process_restarted",
                process=child.spec.name,
                reason=child.last_exit,
                restarts=child.restarts,
            ),
        )

    def _begin_restart(self, child: Child) -> None:
        """Take up a restart that somebody asked for."""
        now = self._clock.monotonic()
        child.failures = child.fatal = 0
        if child.pid is None:
            child.due = now
        elif not child.asked:
            child.asked = True
            child.kill_at = now + self._grace_s
            child.terminate()
            _log.info("restart_asked", child=child.spec.name, pid=child.pid)

    def _ended(self, child: Child, ending: Ending) -> None:
        if child.asked:
            child.asked = False
            child.last_exit = f"restarted on request ({ending.reason})"
            child.due = self._clock.monotonic()
            child.state = "waiting"
            return
        if child.spec.final and ending.code == 0:
            self._tell_stopped(child, ending)
            self._stopping.set()
            return
        if child.spec.final and ending.code in _DELIBERATE:
            self._tell_stopped(child, ending)
            raise self._error_of(child, ending)
        now = self._clock.monotonic()
        if ending.code is not None and now - child.started >= self._healthy_s:
            child.failures = child.fatal = 0
        child.failures += 1
        fatal = None if ending.code is None else _FATAL.get(ending.code)
        child.fatal = 0 if fatal is None else child.fatal + 1
        if fatal is not None and child.fatal >= _FATAL_TIMES and not child.spec.patient:
            raise fatal(
                f"{child.spec.name}: {ending.message or f'{ending.reason}, {_FATAL_TIMES} times in a row'}",
                hint=ending.hint or "the messages of that process, above, say what is wrong",
            )
        pause = self._backoff.delay(child.failures)
        child.due = now + pause
        child.state = "waiting"
        _log.warning("child_ended", child=child.spec.name, reason=ending.reason, restart_in_s=round(pause, 2))

    # ------------------------------------------------------------- the end

    def _stop_all(self) -> None:
        """SIGTERM in reverse order, each child waited for; SIGKILL to what does not go in time."""
        self._stopping.set()
        self._notifier.send("STOPPING=1")
        for child in reversed(self._children):
            child.due = None
            if child.pid is None:
                child.state = "stopped"
                continue
            child.terminate()
            until = self._clock.monotonic() + self._grace_s
            while child.pid is not None:
                left = until - self._clock.monotonic()
                if self._at_once.is_set():
                    for one in self._children:
                        one.kill()
                elif left <= 0:
                    child.kill(f"did not stop within {self._grace_s:g} s and was killed")
                for ended in self._wait(max(0.05, left)):
                    ending = self._reap(ended)
                    self._tell_stopped(ended, ending)
                    if self._unclean is None and ending.code in _DELIBERATE:
                        self._unclean = self._error_of(ended, ending)

    @staticmethod
    def _error_of(child: Child, ending: Ending) -> ApplianceError:
        """What a child said when it ended, as the error it was."""
        kind = _DELIBERATE[ending.code or 0]
        return kind(f"{child.spec.name}: {ending.message or ending.reason}", hint=ending.hint)

    def _tell_stopped(self, child: Child, ending: Ending) -> None:
        _log.info("process_stopped", child=child.spec.name, reason=ending.reason)
        self._reports.put(
            ProcessChanged(
                type="process_stopped",
                process=child.spec.name,
                reason=ending.reason,
                restarts=child.restarts,
            )
        )

    # ------------------------------------------------------------- what surrounds it

    @contextmanager
    def _waking(self) -> Iterator[None]:
        self._wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._selector = selectors.PollSelector()
        self._selector.register(self._wake, selectors.EVENT_READ)
        try:
            yield
        finally:
            with self._wake_lock:
                wake, self._wake = self._wake, None
                os.close(wake)
            self._selector.close()

    def _poke(self) -> None:
        with self._wake_lock:
            if self._wake is not None:
                os.eventfd_write(self._wake, 1)

    @contextmanager
    def _signals(self) -> Iterator[None]:
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {
            number: signal.signal(number, self._signalled) for number in (signal.SIGTERM, signal.SIGINT)
        }
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _signalled(self, number: int, _: FrameType | None) -> None:
        if self._stopping.is_set() and number == signal.SIGINT:
            self._at_once.set()
        self.stop()

    @contextmanager
    def _reporting(self) -> Iterator[None]:
        thread = threading.Thread(target=self._report, name="reports", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._reports.put(None)
            thread.join(_REPORT_S)

    def _report(self) -> None:
        while (change := self._reports.get()) is not None:
            try:
                self._on_change(change)
            except Exception as error:  # noqa: BLE001 - a log that cannot be written stops no process
                _log.error(
                    "change_not_reported",
                    change=change.type,
                    child=change.process,
                    error=type(error).__name__,
                )

    def _tell_systemd(self) -> None:
        # A patient child that failed is waited for by nobody: a port that is taken is no failed start.
        begun = all(child.ready or (child.spec.patient and child.failures) for child in self._children)
        if not self._told_ready and begun:
            self._told_ready = True
            self._notifier.send("READY=1")
        if self._notifier.watchdog_s is not None and self._clock.monotonic() >= self._watchdog_due:
            self._watchdog_due = self._clock.monotonic() + self._notifier.watchdog_s
            self._notifier.send("WATCHDOG=1")
