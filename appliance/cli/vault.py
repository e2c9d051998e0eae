"""`appliance vault …`: the key that wraps all others, changed; the public key that the log is signed with."""

import json
import os
import sys

import click

from appliance.cli.context import Context
from appliance.errors import VaultError
from appliance.services import CREDENTIALS_VARIABLE, PASSPHRASE_VARIABLE, present_source
from appliance.settings import Settings
from appliance.vault import KeySource, PassphraseKey, Place, new_key_line, parse_key_line
from appliance.vault.device_key import PASSPHRASE_FILE

NEW_PASSPHRASE_VARIABLE = "APPLIANCE_NEW_PASSPHRASE"  # noqa: S105 - the name of a variable
_LEAST_CHARS = 12
_PLACES = ("file", "passphrase", "credential")
_LINE_BYTES = 1024

_WORDS = {
    "joined": "both keys open everything from here on",
    "signing": "the key that signs the log",
    "placed": "the new key is in its place",
    "settings": "overlay.toml says where it is",
    "discarded": "the old key's file is deleted",
    "finished": "the old key opens nothing any more",
}


@click.group()
def vault() -> None:
    """The device key, which wraps all others: change it, or where it rests.

    \b
    Examples:
      appliance vault public-key > box.pub
      appliance vault rekey
      appliance vault rekey --to passphrase
    """


@vault.command("public-key")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_context
def public_key(ctx: click.Context, *, as_json: bool) -> None:
    """Print the public key that checks the log's signatures. No secret; keep it away from the box.

    \b
    Examples:
      appliance vault public-key > box.pub
      appliance events verify --log box.log --heads heads.jsonl --key box.pub
    """
    context: Context = ctx.obj
    with context.services() as services:
        key, device = services.vault.public_key.hex(), services.device
    click.echo(json.dumps({"device": device, "public_key": key}, indent=1) if as_json else key)


@vault.command("new-key")
def new_key() -> None:
    """Print a new device key, to be piped into systemd-creds: it is a secret, and kept nowhere.

    See `rekey` for what to do with it.
    """
    if sys.stdout.isatty():
        raise VaultError(
            "a device key is not shown on a terminal",
            hint="pipe it into systemd-creds encrypt",
        )
    click.echo(new_key_line(), nl=False)


@vault.command("rekey")
@click.option(
    "--from", "was", type=click.Choice(_PLACES), help="Where the key rests now. [default: vault.key]"
)
@click.option("--to", type=click.Choice(_PLACES), help="Where the new key is to rest. [default: as now]")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_obj
def rekey(context: Context, *, was: Place | None, to: Place | None, as_json: bool) -> None:
    """Change the device key for a new one, and where it rests, with the appliance stopped.

    Every person's key is wrapped anew; what is sealed under those stays as it is. Broken off, by whatever,
    the old key or the new opens everything, and the same command goes on. Where the key rests is then said in
    overlay.toml.

    The present passphrase comes from APPLIANCE_PASSPHRASE, a new one from APPLIANCE_NEW_PASSPHRASE; on a
    terminal both are asked for. Broken off when the new key was in its place already, its passphrase is the
    present one. A credential's new key comes on standard input, so that it was decrypted once before anything
    depends on it.

    \b
    Examples:
      appliance vault rekey
      appliance vault rekey --from file --to passphrase
      appliance vault rekey --to credential
    For a credential, before and for the last of these:
      appliance vault new-key | systemd-creds encrypt --name=device.key - device.key.cred
      systemd-creds decrypt device.key.cred - | appliance vault rekey --to credential
    """
    from appliance.app.rekeying import Places
    from appliance.app.rekeying import rekey as steps

    settings = context.settings
    present: Place = was or settings.vault.key
    target: Place = to or present
    new = parse_key_line(sys.stdin.buffer.read(_LINE_BYTES)) if target == "credential" else None
    places = Places(
        present, _present(context, settings, present), target, _target(context, settings, target, new), new
    )
    told = []
    for step in steps(settings, context.settings_files, context.layout, places):
        told.append({"step": step.name, "done": step.done, "total": step.total})
        if not as_json:
            words = _WORDS.get(step.name) or f"{step.done} of {step.total} people's and operators' keys"
            click.echo(words)
    if as_json:
        click.echo(json.dumps({"from": present, "to": target, "steps": told}, indent=1))
        return
    click.echo("back the new key up, away from backups of the database; then start the appliance again")


class _HandedOver:
    """The new key of a credential, which was handed over decrypted: it rests with systemd's admin."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def exists(self) -> bool:
        """It is here."""
        return True

    def load(self, *, create: bool) -> bytes:
        """As it was handed over."""
        del create
        return self._key

    def put(self, key: bytes) -> None:
        """Nothing is written; only this key can be put here.

        Raises:
            VaultError: It is another one.
        """
        if key != self._key:
            raise VaultError("the key handed over is not the one that the change led to")

    def discard(self) -> None:
        """Nothing to delete."""


def _present(context: Context, settings: Settings, place: Place) -> KeySource:
    if place == "passphrase" and PASSPHRASE_VARIABLE not in os.environ:
        return PassphraseKey(context.layout.state / PASSPHRASE_FILE, _asked("present passphrase"))
    if place == "credential" and CREDENTIALS_VARIABLE not in os.environ:
        raise VaultError(
            "systemd handed over no credentials",
            hint="run this within a unit that has LoadCredentialEncrypted=device.key:…",
        )
    return present_source(_with_key(settings, place), context.layout)


def _target(context: Context, settings: Settings, place: Place, new: bytes | None) -> KeySource:
    if new is not None:
        return _HandedOver(new)
    if place == "passphrase":
        given = os.environ.get(NEW_PASSPHRASE_VARIABLE)
        passphrase = given.encode() if given is not None else _asked("new passphrase", twice=True)
        if len(passphrase.decode(errors="replace")) < _LEAST_CHARS:
            raise VaultError(
                f"a passphrase has {_LEAST_CHARS} characters at least",
                hint="who takes the box can try as many as they like: six random words are good",
            )
        return PassphraseKey(context.layout.state / PASSPHRASE_FILE, passphrase)
    return present_source(_with_key(settings, place), context.layout)


def _with_key(settings: Settings, place: Place) -> Settings:
    return settings.model_copy(update={"vault": settings.vault.model_copy(update={"key": place})})


def _asked(what: str, *, twice: bool = False) -> bytes:
    """Ask on the terminal.

    Raises:
        VaultError: There is none.
    """
    if not sys.stdin.isatty():
        variable = NEW_PASSPHRASE_VARIABLE if twice else PASSPHRASE_VARIABLE
        raise VaultError(
            f"the {what} is needed, and there is no terminal to ask on",
            hint=f"hand it over in the environment variable {variable}",
        )
    asked: str = click.prompt(what, hide_input=True, confirmation_prompt=twice, err=True)
    return asked.encode()
