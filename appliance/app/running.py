"""`appliance run`: first boot, then the supervisor with its children."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from importlib.metadata import entry_points

import structlog

from appliance.errors import ApplianceError, SettingsError
from appliance.events import ProcessChanged
from appliance.services import (
    BUCKET_VARIABLES,
    CAMERA_VARIABLE,
    CREDENTIALS_VARIABLE,
    PASSPHRASE_VARIABLE,
    Layout,
    Services,
    without_secrets,
)
from appliance.settings import Settings
from appliance.store import NewEvent
from appliance.supervisor import ChildSpec, Supervisor
from appliance.wire import Client, Handler, Message, Reply, Request, Server
from appliance.wire.messages import Done, Ping, RestartChild, SupervisorStatus, SupervisorStatusRequest

_log = structlog.get_logger()

Command = Callable[[str], Sequence[str]]
"""From the name of a process to the command line that starts it; asked anew before each restart."""


_GIVES_WAY_S = 6.0
"""Seconds for which desk and pages wait for the others: longer than these take on a small box."""
_NO_SECRETS: Mapping[str, str] = {}


def child_specs(
    settings: Settings,
    layout: Layout,
    command: Command,
    *,
    once: bool,
    environment: Mapping[str, str] = os.environ,
) -> list[ChildSpec]:
    """The children in the order they are started; they stop in reverse.

    The loop comes late, so that what it reports while stopping still finds a dispatch; only what records
    comes after it: it stops first, and a camera that is stopped is not taken for one that is lost. The desk
    is handed a camera's address, too: it shows which cameras there are, and writes their settings.
    """
    # Each is handed the secrets it needs: models looks at strangers' files and needs none.
    every = (CREDENTIALS_VARIABLE, PASSPHRASE_VARIABLE, CAMERA_VARIABLE)
    secrets = {variable: environment[variable] for variable in every if variable in environment}
    keys = {variable: secret for variable, secret in secrets.items() if variable != CAMERA_VARIABLE}
    specs: list[ChildSpec] = []
    if settings.processes.models == "own":
        specs.append(_spec("models", layout, command("models")))
    # Only dispatch copies to a bucket.
    bucket = {variable: environment[variable] for variable in BUCKET_VARIABLES if variable in environment}
    specs.append(_spec("dispatch", layout, command("dispatch"), secrets={**keys, **bucket}))
    if settings.deeplens.enabled:
        # Functions come after the door as well; it waits, small, where none is deployed.
        functions = _spec("functions", layout, command("functions"), secrets=keys)
        specs.append(replace(functions, patient=True, gives_way_s=_GIVES_WAY_S))
    if settings.search.enabled:
        # Whatever is wrong with it, the door is watched.
        search = _spec("search", layout, command("search"), secrets=keys)
        specs.append(replace(search, patient=True, gives_way_s=_GIVES_WAY_S))
    if settings.web.enabled:
        # Should they refuse their settings or find a port taken: that is no reason to stop watching the door.
        # And they give way at the start: the door is watched sooner, and pages are there soon enough.
        desk = _spec("desk", layout, command("desk"), secrets=secrets)
        specs.append(replace(desk, patient=True, gives_way_s=_GIVES_WAY_S))
        if serves_pages(settings):
            # Asked at its own socket, not at its port: a proxy or a firewall may be in the way of that.
            web = _spec("web", layout, command("web"))
            specs.append(replace(web, patient=True, gives_way_s=_GIVES_WAY_S))
    # A camera named on the command line is the command's own: if it is wrong, so is the command.
    patient = serves_pages(settings) and not once and CAMERA_VARIABLE not in environment
    loop = [*command("loop"), *(["--once"] if once else []), *(["--patient"] if patient else [])]
    watching = _spec("loop", layout, loop, secrets=secrets, final=once)
    specs.append(replace(watching, patient=patient))
    if settings.video.enabled:
        # Whatever is wrong with the recording, the door is watched; it comes after that at the start, too.
        # Streams outside of the box are sent to with the same credentials as a bucket.
        video = _spec("video", layout, command("video"), secrets={**keys, **bucket})
        specs.append(replace(video, patient=True, gives_way_s=_GIVES_WAY_S))
    return specs


def renewed_argv(
    name: str, settings: Settings, layout: Layout, command: Command, *, once: bool
) -> Sequence[str] | None:
    """A child's command line before another start: some are handed their settings on it.

    None: the settings are wrong now, and it starts as it did before. So a process that died of its settings
    comes back with those that somebody mended meanwhile, whether or not anybody asked for a restart.
    """
    try:
        anew = child_specs(settings, layout, command, once=once)
    except ApplianceError as error:
        _log.warning("command_not_renewed", child=name, error=error.message)
        return None
    return next((spec.argv for spec in anew if spec.name == name), None)


def serves_pages(settings: Settings) -> bool:
    """Whether the admin pages are wanted, and installed."""
    return settings.web.enabled and bool(entry_points(group="appliance.commands", name="web"))


def supervise(
    settings: Settings,
    services: Services,
    command: Command,
    *,
    once: bool,
    begun: Callable[[], None] = lambda: None,
) -> None:
    """Run all processes until stopped, or, with `once`, until the recordings are over.

    Args:
        settings: All of them, checked.
        services: Opened.
        command: Makes a process's command line.
        once: End when the recordings end.
        begun: Called once it is sure that no other appliance runs on this state directory, before the first
            process is started.

    Raises:
        SettingsError: No camera is configured, and there are no pages to do that on; or a child refuses
            its settings again and again.
        ModelError: Likewise for its weights.
        VaultError: Likewise for its keys.
        WireError: The appliance runs already, on this state directory.
    """
    if not settings.cameras and (once or not serves_pages(settings)):
        raise SettingsError(
            "no camera is configured",
            hint="add [[cameras]] to the settings",
            command="or try: appliance run --camera scene:door",
        )

    def changed(event: ProcessChanged) -> None:
        try:
            services.store.append_all([NewEvent(event)])
        except ApplianceError as error:
            _log.error("change_not_logged", child=event.process, error=error.message)

    specs = child_specs(settings, services.layout, command, once=once)
    supervisor = Supervisor(
        specs,
        changed,
        services.clock,
        environment=without_secrets(os.environ),
        renew=lambda name: renewed_argv(name, settings, services.layout, command, once=once),
    )

    def status(_: Request[SupervisorStatusRequest]) -> Reply[SupervisorStatus]:
        return Reply(supervisor.status())

    def restart(request: Request[RestartChild]) -> Reply[Done]:
        supervisor.restart(request.message.child)
        return Reply(Done())

    handlers: dict[type[Message], Handler] = {SupervisorStatusRequest: status, RestartChild: restart}
    with Server(services.layout.socket("supervisor"), handlers):
        begun()
        supervisor.run()


def _spec(
    name: str,
    layout: Layout,
    argv: Sequence[str],
    *,
    secrets: Mapping[str, str] = _NO_SECRETS,
    final: bool = False,
) -> ChildSpec:
    client = Client(layout.socket(name), timeout_s=3.0)

    def probe() -> bool:
        try:
            client.call(Ping())
        except ApplianceError:  # nobody answers, or it says itself that it is not well
            return False
        return True

    return ChildSpec(name, tuple(argv), env=secrets, probe=probe, final=final)
