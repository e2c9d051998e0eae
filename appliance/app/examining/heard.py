"""Songs: whether anything would be heard if one were due."""

from collections.abc import Iterator

from appliance.actions.audio_choosing import trouble
from appliance.app.examining.finding import Finding
from appliance.services import Layout
from appliance.settings import Settings

_PLACE = "setting:audio.output"


def heard(settings: Settings, layout: Layout) -> Iterator[Finding]:
    """Where songs are played. No audio device is an ordinary state of a box."""
    del layout
    audio = settings.audio
    kind, _, name = audio.output.partition(":")
    if kind == "off":
        yield Finding("sound", "ok", "the box plays no songs: sound is switched off")
    elif kind == "file":
        yield Finding("sound", "ok", f"songs are played into the file audio/{name} of the state directory")
    elif why := trouble(audio.output):
        yield Finding(
            "sound",
            "note",
            f"{why}: songs of this box are not heard, and the log says so of each",
            "plug loudspeakers in, choose another output, or let the screens play",
            place=_PLACE,
        )
    else:
        yield Finding("sound", "ok", f"songs are played on the audio device, at volume {audio.volume} of 100")
