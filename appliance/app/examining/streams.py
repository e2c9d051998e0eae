"""What cameras send: whether a clip can be made of it by copying, and what to set in the camera if not."""

from collections.abc import Iterator

from appliance.app.examining.finding import Finding, Health
from appliance.app.stream_judging import judged_stream
from appliance.errors import WireError
from appliance.services import Layout
from appliance.settings import Settings
from appliance.wire import Client
from appliance.wire.messages import Status, StatusRequest

_PATIENCE_S = 2.0


def streams(settings: Settings, layout: Layout) -> Iterator[Finding]:
    """Each camera's packets, as the running loop has them; nothing if it does not run, or records nothing."""
    if not settings.video.enabled:
        return
    try:
        status = Client(layout.socket("loop"), timeout_s=_PATIENCE_S).call(StatusRequest(), Status).message
    except WireError:
        return  # the loop's own line says how it is
    told = status.details.get("cameras", {})
    for camera in settings.cameras:
        judged = judged_stream(told.get(camera.id, {}).get("video", {}), settings.video.pre_trigger_s)
        if judged is not None:
            health: Health = "ok" if judged.well else "note"
            place = "" if judged.well else f"camera:{camera.id}"
            yield Finding(f"video of {camera.id}", health, judged.words, judged.hint, place=place)
