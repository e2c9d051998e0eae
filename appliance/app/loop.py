"""The loop process: every camera of the box, from frames to logged decisions.

One thread per camera, one set of networks for all of them, one thread that writes. It
waits for nobody: dispatch is woken, viewers take what they find, a slow disk fills a queue.
"""

import contextlib
import os
import threading
import time
from collections.abc import Callable
from functools import partial

import structlog

from appliance.app.adoption import adopt_captures, sweep_captures
from appliance.app.camera_streams import stream_details
from appliance.app.coffee_showing import CoffeeShowing
from appliance.app.embedding import MOST_CALLERS, models_handlers, open_photo_reader
from appliance.app.heads import Heads, head_sinks
from appliance.app.health import LoopHealth
from appliance.app.inferring import Inferences
from appliance.app.packet_feed import PacketFeeds
from appliance.app.parts import (
    LoggedEvents,
    Parts,
    PublishSeen,
    SharedFaces,
    camera_pipeline,
    opened_parts,
    read_policy,
    store_gallery,
)
from appliance.app.retention import Retention
from appliance.app.sighting import Sightings, told_to
from appliance.app.viewing import Showcase
from appliance.camera import Camera
from appliance.errors import CameraLostError, CameraRefusedError, StoreError, WireError
from appliance.events import CameraChanged
from appliance.ids import random_ids
from appliance.pipeline import CameraPipeline, Records, RecordsThread
from appliance.pipeline.records import Recording
from appliance.services import Services
from appliance.settings import CameraSettings, Settings
from appliance.wire import Client, Handler, Message, Reply, Request, Server
from appliance.wire.messages import (
    DecideAgain,
    Done,
    Ping,
    SourceChanged,
    Status,
    StatusRequest,
    WakeDispatch,
)

_log = structlog.get_logger()


class Waker:
    """Tells dispatch that there is something new, from a thread of its own."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._due = threading.Event()

    def wake(self) -> None:
        """Ask for it; returns at once."""
        self._due.set()

    def run(self, stop: threading.Event) -> None:
        """Tell dispatch whenever asked, until `stop` is set."""
        while not stop.is_set():
            if self._due.wait(0.5):
                self._due.clear()
                # A dispatch that does not hear it looks for itself every two seconds.
                with contextlib.suppress(WireError):
                    self._client.call(WakeDispatch(), Done, timeout_s=1.0)


class LoopProcess:
    """The running loop.

    Args:
        settings: All of them; each room is handed its own.
        services: Opened.
        once: End when every camera's recording has ended; otherwise recordings play again and again.
        patient: Stay when there is no camera that can work: somebody may set one up meanwhile.
    """

    def __init__(self, settings: Settings, services: Services, *, once: bool, patient: bool = False) -> None:
        self._settings = settings
        self._services = services
        self._once = once
        self._patient = patient
        self._started_s = time.monotonic()
        self._cameras: dict[str, Camera] = {}
        self._counts: dict[str, dict[str, int]] = {}
        self._failures: list[Exception] = []
        self._refused: dict[str, CameraRefusedError] = {}
        self._showcase = Showcase()
        self._coffee = CoffeeShowing()
        self._feeds = PacketFeeds(services.clock)
        self._pipelines: dict[str, CameraPipeline] = {}

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set, or, with `once`, until the recordings are over.

        Raises:
            CameraRefusedError: No camera can ever work as configured, and it is not patient.
            ModelError: Weights are missing or damaged.
        """
        settings, services = self._settings, self._services
        with contextlib.ExitStack() as stack:
            policy = read_policy(settings)
            gallery = store_gallery(services.store, policy)
            parts = stack.enter_context(
                opened_parts(settings, services, policy, gallery, tell=self._coffee.tell)
            )
            waker = Waker(Client(services.layout.socket("dispatch")))
            log = LoggedEvents(services.store, waker.wake)
            adopt_captures(services.store, parts.spool)
            heads = Heads(
                services.store,
                head_sinks(settings.heads, services.layout, services.device),
                settings.heads.every_s,
            )
            stack.callback(heads.export)  # after all that is on its way was recorded
            records = stack.enter_context(RecordsThread(Records(log, parts.spool, parts.origin)))
            if not settings.evidence.recipients:
                _log.warning(
                    "no_recipients",
                    consequence="strangers are logged without a picture",
                    setting="evidence.recipients",
                )
            retention = Retention(settings.retention, services, parts.spool, settings.captures.s3)
            side = threading.Event()
            stack.callback(side.set)
            self._beside("heads", partial(heads.run, side), stop)
            self._beside("gallery", partial(parts.gallery.run, side), stop)
            if parts.agreed is not None:
                self._beside("agreed", partial(parts.agreed.run, side), stop)
            self._beside("waker", partial(waker.run, side), stop)
            self._beside(
                "captures",
                partial(sweep_captures, records, parts.spool, services.clock, side, copied=retention.copied),
                stop,
            )
            self._beside("retention", partial(retention.sweep, side), stop)
            tells: list[PublishSeen] = []
            if settings.mqtt.host and settings.objects:
                inferences = Inferences(Client(services.layout.socket("dispatch")))
                self._beside("inferences", partial(inferences.run, side), stop)
                tells.append(inferences.publish)
            if settings.index.enabled and settings.objects:
                sender = random_ids(services.clock.wall())
                sightings = Sightings(Client(services.layout.socket("dispatch")), sender)
                self._beside("sightings", partial(sightings.run, side), stop)
                tells.append(sightings.watched)
            publish = told_to(tells)
            health = LoopHealth(services.clock, lambda: records.alive)
            handlers = self._handlers(parts, records, health)
            stack.enter_context(Server(services.layout.socket("loop"), handlers))
            stack.callback(self._feeds.close)
            if settings.processes.models == "loop":
                photos = models_handlers(stack.enter_context(open_photo_reader(settings)), settings)
                socket = services.layout.socket("models")
                stack.enter_context(Server(socket, photos, max_connections=MOST_CALLERS))
            self._watch_cameras(parts, records, health, stop, publish)
            if self._patient and not self._failures:
                stop.wait()
        if self._failures:
            raise self._failures[0]
        if records.lost:
            raise StoreError(
                f"the database took nothing more: {records.lost} event(s) of this run are lost",
                hint="free some space on the state directory's disk",
            )

    def _beside(self, name: str, work: Callable[[], None], stop: threading.Event) -> threading.Thread:
        """Work on a thread of its own. Whatever it raises ends the process: half a loop is none."""

        def run() -> None:
            try:
                work()
            except Exception as error:  # noqa: BLE001 - it is raised again from `run`
                self._failures.append(error)
                stop.set()

        thread = threading.Thread(target=run, name=name, daemon=True)
        thread.start()
        return thread

    def _watch_cameras(
        self,
        parts: Parts,
        records: Recording,
        health: LoopHealth,
        stop: threading.Event,
        publish: PublishSeen | None,
    ) -> None:
        """A thread per camera; returns when all have ended."""
        faces = SharedFaces(parts.reader)
        threads = [
            self._beside(
                f"loop-{camera.id}",
                partial(
                    self._watch, camera, parts, records, faces, health=health, stop=stop, publish=publish
                ),
                stop,
            )
            for camera in self._settings.cameras
        ]
        for thread in threads:
            thread.join()
        if self._refused and len(self._refused) == len(threads) and not self._patient:
            raise next(iter(self._refused.values()))

    def _watch(
        self,
        settings: CameraSettings,
        parts: Parts,
        records: Recording,
        faces: SharedFaces,
        *,
        health: LoopHealth,
        stop: threading.Event,
        publish: PublishSeen | None,
    ) -> None:
        """Follow one camera to the end. One that can never work leaves the others at theirs."""
        clock, shown = self._services.clock, self._showcase.camera(settings.id)

        def changed(event: CameraChanged) -> None:
            with health.working(settings.id):
                if event.type == "camera_lost":
                    # Whoever stands there when it is back is somebody else until seen.
                    pipeline.finish()
                    fed.change(SourceChanged(state="lost", reason=event.reason))
                else:
                    fed.change(SourceChanged(state="back"))
                shown.lose(event.reason if event.type == "camera_lost" else "")
                records.log([event], clock.wall())

        keep = self._settings.video.enabled
        camera = Camera(settings, clock, on_change=changed, loop=not self._once, keep_pictures=keep)
        self._cameras[settings.id] = camera
        fed, over = self._feeds.camera(settings.id, camera.ring), "the recording is over"
        counts = self._counts[settings.id] = {"frames": 0, "damaged": 0}
        pipeline = camera_pipeline(settings, parts, records, faces, shown.show, publish=publish)
        self._pipelines[settings.id] = pipeline
        try:
            for frame in camera.frames(stop):
                counts["frames"] += 1
                try:
                    with health.working(settings.id):
                        pipeline.process(frame)
                except CameraLostError as error:
                    # The frame's data was bad in a way that showed only when decoded.
                    counts["damaged"] += 1
                    _log.warning("frame_skipped", camera=settings.id, error=error.message)
        except CameraRefusedError as error:
            _log.error("camera_refused", camera=settings.id, error=error.message, hint=error.advice)
            changed(CameraChanged(type="camera_lost", camera=settings.id, reason=error.message))
            over = error.message
            self._refused[settings.id] = error
            shown.refuse(error)
        finally:
            fed.change(SourceChanged(state="ended", reason=over))
            with health.working(settings.id):
                pipeline.finish()

    # ------------------------------------------------------------ what others may ask

    def _handlers(
        self, parts: Parts, records: RecordsThread, health: LoopHealth
    ) -> dict[type[Message], Handler]:
        return {
            Ping: health.answer,
            DecideAgain: self._decide_again,
            StatusRequest: lambda _: Reply(self._status(parts, records, health)),
            **self._showcase.handlers(),
            **self._feeds.handlers(),
            **self._coffee.handlers(),
        }

    def _decide_again(self, request: Request[DecideAgain]) -> Reply[Done]:
        """Somebody typed a PIN before a camera; one that there is not looks at nobody."""
        pipeline = self._pipelines.get(request.message.camera)
        if pipeline is not None:
            pipeline.decide_again()
        return Reply(Done())

    def _status(self, parts: Parts, records: RecordsThread, health: LoopHealth) -> Status:
        gallery = parts.gallery.current
        return Status(
            process="loop",
            pid=os.getpid(),
            uptime_s=round(time.monotonic() - self._started_s, 3),
            details={
                "gallery": {
                    "version": gallery.version,
                    "subjects": len(gallery),
                    "references": gallery.reference_count,
                },
                "records": {"failing": records.failing, "waiting": records.waiting},
                "cameras": {
                    name: {
                        **self._counts.get(name, {}),
                        "refused": refused.message if (refused := self._refused.get(name)) else "",
                        "lost": camera.lost,
                        "busy_s": round(health.busy_s(name), 3),
                        "received": camera.statistics.received,
                        "dropped": camera.statistics.dropped,
                        "reconnects": camera.statistics.reconnects,
                        "video": dict(stream_details(camera.ring)),
                    }
                    for name, camera in list(self._cameras.items())
                },
            },
        )
