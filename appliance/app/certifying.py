"""The certificate of the admin pages: the box's own is made before they are served, unless one is brought."""

import ipaddress

import structlog

from appliance.clock import Clock
from appliance.errors import ApplianceError
from appliance.services import Layout
from appliance.settings import WebSettings
from appliance.vault.certificate import ensure_certificate

_log = structlog.get_logger()


def certify(settings: WebSettings, layout: Layout, clock: Clock) -> None:
    """Make the certificate if it is to be made here and is not there yet.

    That it cannot be made is logged and no more: the pages are then not served, and the door is watched.

    Args:
        settings: Of the web.
        layout: Where the files lie.
        clock: The wall clock is used.
    """
    if settings.tls != "self-signed":
        return
    names = list(settings.names)
    try:
        if not ipaddress.ip_address(settings.host).is_unspecified:
            names.append(str(ipaddress.ip_address(settings.host)))
    except ValueError:
        names.append(settings.host)
    try:
        layout.state.mkdir(mode=0o700, parents=True, exist_ok=True)
        ensure_certificate(layout.certificate, layout.certificate_key, names, clock.wall())
    except (ApplianceError, OSError) as error:
        _log.error("no_certificate", error=str(error))
