"""What the settings say: whether the program can run with them, what the keys protect, who opens captures."""

from collections.abc import Iterator, Mapping

from appliance.app.checking import faults
from appliance.app.examining.finding import Finding, Health
from appliance.evidence import parse_recipients
from appliance.phrases import counted
from appliance.services import Layout
from appliance.settings import Settings
from appliance.settings.keys import key_of
from appliance.vault import REKEY_FILE

_KEYS: Mapping[str, tuple[Health, str, str]] = {
    "file": (
        "note",
        "the device key is a file: it protects copies of the database, not a stolen box",
        "a passphrase or a credential (the setting vault.key) protects both",
    ),
    "passphrase": (
        "ok",
        "the device key opens with a passphrase: it protects copies of the database and a stolen box",
        "write it down somewhere else as well: without it nobody is recognised any more",
    ),
    "credential": (
        "ok",
        "the device key is a systemd credential: a stolen box is protected if it is bound to a TPM",
        "keep a copy of the key somewhere else: without it nobody is recognised any more",
    ),
}
"""By `vault.key`: what is protected, and what to know."""


def settings_fit(settings: Settings, layout: Layout) -> Iterator[Finding]:
    """Whether the program knows what the settings name: events, cameras, recipients."""
    del layout
    wrong = list(faults(settings))
    for fault in wrong:
        key = key_of(fault.place, settings.model_dump())
        yield Finding("settings", "problem", fault.words, fault.hint, place=f"setting:{key}")
    if not wrong:
        parts = (("camera", settings.cameras), ("door", settings.doors), ("action", settings.actions))
        counts = (counted(len(each), name) for name, each in parts)
        yield Finding("settings", "ok", ", ".join(counts))


def keys(settings: Settings, layout: Layout) -> Iterator[Finding]:
    """What protects what; whether the keys fit is found when the database is opened."""
    if not layout.state.exists():
        return
    if (layout.state / REKEY_FILE).exists():
        yield Finding(
            "keys",
            "problem",
            "a change of the device key was broken off: the old key and the new one both open everything",
            "stop the appliance and bring it to its end",
            "appliance vault rekey, with the same options as before",
        )
    yield Finding("keys", *_KEYS[settings.vault.key])


def recipients(settings: Settings, layout: Layout) -> Iterator[Finding]:
    """To whom captures are sealed.

    Raises:
        RecipientError: One is no key.
    """
    del layout
    found = parse_recipients(settings.evidence.recipients)
    if found:
        yield Finding(
            "recipients",
            "ok",
            f"captures are sealed to {', '.join(r.fingerprint for r in found)}; this box cannot open them",
        )
    else:
        yield Finding(
            "recipients",
            "note",
            "no recipient: strangers are logged without a picture",
            "add your SSH public key",
            "it stands in the setting evidence.recipients",
            "recipients",
        )
