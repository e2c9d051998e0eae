"""What the broker has to show over TLS, and what the box shows of itself. Reads files; connects to nobody."""

import ssl

from appliance.errors import ActionError
from appliance.settings import MqttSettings


def tls_context(settings: MqttSettings) -> ssl.SSLContext:
    """What the broker has to show, and what the box shows.

    Raises:
        ActionError: A file is not there, or holds no certificate or no key.
    """
    try:
        context = ssl.create_default_context(cafile=settings.ca_file)
    except (OSError, ValueError) as error:
        raise ActionError(
            "the certificates in mqtt.ca_file cannot be read",
            hint="a PEM file is needed that dispatch may read",
        ) from error
    context.sslsocket_class = _Handshake
    if settings.certificate is not None:
        try:
            context.load_cert_chain(settings.certificate, settings.private_key, password=_no_password)
        except (OSError, ValueError) as error:
            raise ActionError(
                "mqtt.certificate and mqtt.private_key cannot be used",
                hint="PEM files are needed that belong together, the key without a passphrase",
            ) from error
    return context


class _Handshake(ssl.SSLSocket):
    """A socket that is closed when the handshake fails: paho leaves that to chance."""

    def do_handshake(self, block: bool = False) -> None:  # noqa: FBT001, FBT002 - as it is called there
        """Shake hands, or close."""
        try:
            super().do_handshake(block)
        except BaseException:
            self.close()
            raise


def _no_password() -> str:
    """Nobody is there to be asked for a passphrase."""
    return ""
