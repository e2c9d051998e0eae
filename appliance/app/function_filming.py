"""Recording for functions: the process that records is told now and then for how much longer.

If this process dies nobody renews, and the recording ends by itself. A function never waits for any of it.
"""

import threading
from typing import Final, Self

import structlog

from appliance.app.function_frames import first_camera
from appliance.errors import ApplianceError
from appliance.services import Layout
from appliance.wire import Client
from appliance.wire.messages import Done, Record, RecordTaken, ReleaseRecording

_log = structlog.get_logger()

HOLD_S: Final = 30.0
"""For so long a recording goes on that nobody renews."""
RENEW_S: Final = 10.0
_CALL_S: Final = 3.0
_END_S: Final = 5.0


class FunctionFilming:
    """Keeps recordings going; see `recorded_streams.Filming`. Use it as a context.

    Args:
        layout: Where the process that records and the loop listen.
    """

    def __init__(self, layout: Layout) -> None:
        self._video = Client(layout.socket("video"), timeout_s=_CALL_S)
        self._loop = Client(layout.socket("loop"), timeout_s=_CALL_S)
        self._changed = threading.Condition()
        self._wanted: dict[tuple[str, str], float] = {}
        self._over: list[tuple[str, str]] = []
        self._due = False
        self._ending = False
        self._said = ""
        self._thread = threading.Thread(target=self._run, name="function-filming", daemon=True)

    def begin(self, camera: str, stream: str, retention_hours: float) -> None:
        """See `Filming`."""
        with self._changed:
            self._wanted[camera, stream] = retention_hours
            self._due = True
            self._changed.notify_all()

    def end(self, camera: str, stream: str) -> None:
        """See `Filming`."""
        with self._changed:
            if self._wanted.pop((camera, stream), None) is not None:
                self._over.append((camera, stream))
                self._changed.notify_all()

    def __enter__(self) -> Self:
        """Begin to tell."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Say that nothing more is wanted, and end."""
        with self._changed:
            self._over += self._wanted
            self._wanted.clear()
            self._ending = True
            self._changed.notify_all()
        self._thread.join(_END_S)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(
                    lambda: self._over or self._due or self._ending, RENEW_S if self._wanted else None
                )
                self._due = False
                wanted, over = dict(self._wanted), self._over
                self._over = []
                ending = self._ending
            for camera, stream in over:
                self._tell(camera, ReleaseRecording(camera="-", stream=stream))
            for (camera, stream), hours in wanted.items():
                hold = Record(
                    camera="-", seconds=HOLD_S, back_s=0.0, stream=stream, retention_hours=max(hours, 0.1)
                )
                self._tell(camera, hold)
            if ending:
                return

    def _tell(self, camera: str, message: Record | ReleaseRecording) -> None:
        """Say it; what does not work is logged once until it works again."""
        expect = RecordTaken if isinstance(message, Record) else Done
        try:
            named = camera or first_camera(self._loop)
            self._video.call(message.model_copy(update={"camera": named}), expect)
        except ApplianceError as error:
            if error.message != self._said:
                self._said = error.message
                _log.warning("function_not_recorded", reason=error.message)
        else:
            self._said = ""
