"""From the settings' word for an output to the output."""

from pathlib import Path

from appliance.actions.audio_device import AudioDevice
from appliance.actions.audio_file import WavFile
from appliance.actions.audio_output import AudioOutput
from appliance.errors import NoAudioError


def chosen(word: str, folder: Path) -> AudioOutput:
    """The output that the settings name; nothing is opened yet.

    Args:
        word: `device:NAME`, `file:NAME` or `off`, as the settings check it.
        folder: Where files are kept.

    Raises:
        NoAudioError: It is switched off.
    """
    kind, _, name = word.partition(":")
    if kind == "device":
        return AudioDevice(name)
    if kind == "file":
        return WavFile(folder / name)
    raise NoAudioError("sound is switched off in the settings", hint="choose an output there")


def trouble(word: str) -> str:
    """Why nothing can be heard by the settings' word, in a few words; empty: something can, or it is off."""
    kind, _, name = word.partition(":")
    if kind != "device":
        return ""
    try:
        AudioDevice(name).probe()
    except NoAudioError as error:
        return error.message
    return ""
