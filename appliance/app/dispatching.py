"""The dispatch process: from the outbox to actions, and captures to a bucket. It decides nothing."""

import contextlib
import threading
from collections.abc import Callable, Iterator

from appliance.app.copies import copying_of
from appliance.app.function_hearing import FunctionHearing
from appliance.app.heads import HeadObjects, Heads
from appliance.app.indexing import Indexing, keeping_moments
from appliance.app.performing import own_plans, rule_plans, together
from appliance.app.playing import SongHandlers, playing, song_plans
from appliance.app.publishing import Published, publishing
from appliance.app.rule_targets import missing
from appliance.app.syncing import Syncing
from appliance.app.unlocking import Unlocking
from appliance.app.video_wishes import record_plans
from appliance.dispatch import DEFAULT_BACKOFF, Dispatcher
from appliance.errors import ApplianceError
from appliance.services import Services
from appliance.settings import S3Settings, Settings
from appliance.settings.overlay import SettingsFiles
from appliance.sinks.mqtt_infer import InferTopic
from appliance.sinks.mqtt_topics import fit_for_function
from appliance.wire import Client, Handler, Message, Reply, Request, Server
from appliance.wire.messages import (
    AskBroker,
    BrokerTold,
    Done,
    HearForFunctions,
    NoteSeen,
    PublishInference,
    PublishMessage,
    WakeDispatch,
)

_LEAVE_S = 2.0
"""How long copying may take to end."""


def run_dispatch(
    settings: Settings, services: Services, stop: threading.Event, files: SettingsFiles | None = None
) -> None:
    """Perform actions until `stop` is set.

    Args:
        settings: As they are at the start.
        services: Log, outbox, library.
        stop: Set at the end.
        files: Where the settings come from; of those of sound, what changes there is taken up at once.

    Raises:
        StoreVersionError: The database is another version's.
        WireError: Another dispatch process answers at the socket.
    """
    wake = threading.Event()

    def woken(request: Request[WakeDispatch]) -> Reply[Done]:
        del request
        wake.set()
        return Reply(Done())

    seen = InferTopic()

    def inferred(request: Request[PublishInference]) -> Reply[Done]:
        seen.publish_inference(request.message.payload.encode())
        return Reply(Done())

    def published(request: Request[PublishMessage]) -> Reply[Done]:
        topic = fit_for_function(request.message.topic, settings.mqtt)
        seen.publish_inference(request.blob, topic)
        return Reply(Done())

    hearing = FunctionHearing(Client(services.layout.socket("functions")))

    def hear(request: Request[HearForFunctions]) -> Reply[Done]:
        hearing.want(request.message.topics)
        return Reply(Done())

    begun: list[Published] = []

    def connected(_: Request[AskBroker]) -> Reply[BrokerTold]:
        # Before it began there is none that could be amiss.
        return Reply(begun[0].health() if begun else BrokerTold(connected=True))

    indexing = Indexing(services.store, settings.index, services.clock)
    unlocking = Unlocking(settings, services)
    handlers: dict[type[Message], Handler] = {
        WakeDispatch: woken,
        PublishInference: inferred,
        PublishMessage: published,
        HearForFunctions: hear,
        AskBroker: connected,
        NoteSeen: indexing.note,
        **unlocking.handlers(),
        **(songs := SongHandlers()).handlers(),
    }
    names = subject_names(services)
    own, rules = own_plans(settings, names), rule_plans(settings, services)
    video = record_plans(settings, Client(services.layout.socket("video")), services.clock)
    with (
        Server(services.layout.socket("dispatch"), handlers),
        syncing(settings.captures.s3, services, stop),
        copying_heads(settings, services, stop),
        keeping_moments(settings, services, indexing, stop),
        publishing(settings, services, stop, seen, hearing) as sent,
        playing(settings, services, sent.tells, files) as songs.action,
    ):
        begun.append(sent)
        plans = together(
            *(own, rules, video, sent.plans),
            *(unlocking.plans(sent.broker), song_plans(songs.action)),
        )
        dispatcher = Dispatcher(services.store, plans, services.clock, DEFAULT_BACKOFF, wake, missing=missing)
        dispatcher.run(stop)


@contextlib.contextmanager
def syncing(settings: S3Settings, services: Services, stop: threading.Event) -> Iterator[None]:
    """Copy captures to a bucket beside, in a thread of its own, if there is one to copy to.

    At the end the thread gets a moment; a request that hangs is left to the end of the process, which is
    what a crash would do to it, and nothing is lost by that.
    """
    if not settings.bucket:
        yield
        return
    sync = Syncing(copying_of(settings, services, stop), services.layout, services.clock)
    thread = threading.Thread(target=sync.run, args=(stop,), name="copies", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(_LEAVE_S)


@contextlib.contextmanager
def copying_heads(settings: Settings, services: Services, stop: threading.Event) -> Iterator[None]:
    """Put signed heads of the log into the bucket beside, if there is one; the last when it ends."""
    if not settings.captures.s3.bucket:
        yield
        return
    from appliance.sinks.bucket import Bucket  # noqa: PLC0415 - a box without a bucket loads no boto

    bucket = Bucket(settings.captures.s3, services.device, services.clock)
    heads = Heads(services.store, [HeadObjects(bucket)], settings.heads.every_s)

    def run() -> None:
        heads.run(stop)
        heads.export()

    thread = threading.Thread(target=run, name="heads", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(_LEAVE_S)


def subject_names(services: Services) -> Callable[[str], str | None]:
    """Looks a subject's name up; None when it was removed or cannot be opened."""

    def name(subject: str) -> str | None:
        try:
            return services.store.name_of(subject)
        except ApplianceError:
            return None

    return name
