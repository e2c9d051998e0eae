"""The certificate of the admin pages where the admin brings none: self-signed, made on this box.

It protects what is typed from whoever listens on the network, and nothing else: that it is this box's, only
the fingerprint printed at the start says. The private key rests in a file of mode 0600, not under the
device key, because the web process holds no key that opens anything.
"""

import contextlib
import ipaddress
import socket
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from appliance.errors import VaultError
from appliance.vault.private_files import read_private, replace

LASTS: Final = timedelta(days=820)
"""Browsers of one large maker take no certificate that is good for longer than 825 days."""
RENEWED: Final = timedelta(days=30)
"""A certificate that ends sooner than this is made anew at the next start."""
_SKEW: Final = timedelta(days=1)
"""It begins in the past, for browsers whose clocks are behind."""
_COMMON_NAME_LENGTH: Final = 64


@dataclass(frozen=True, slots=True)
class Certificate:
    """What stands in a certificate.

    Attributes:
        fingerprint: SHA-256 of it, as browsers show it: pairs of capital hexadecimal digits and colons.
        names: What it is for: names, and addresses as text.
        expires_at: Aware, UTC.
    """

    fingerprint: str
    names: frozenset[str]
    expires_at: datetime


def ensure_certificate(certificate: Path, key: Path, names: Sequence[str], now: datetime) -> Certificate:
    """Make certificate and key where there are none, where it ends soon, or where a name is new.

    Args:
        certificate: Its file, PEM.
        key: The file of its private key, PEM, mode 0600.
        names: Names and addresses it must be for, besides those of this machine.
        now: Aware; when it begins.

    Raises:
        VaultError: A file cannot be read or written.
    """
    kept = _kept(certificate, key)
    asked = {written for each in names if (written := _written(each)) is not None}
    if kept is not None and kept.expires_at - now > RENEWED and asked <= kept.names:
        return kept
    wanted = sorted(asked | {written for each in machine_names() if (written := _written(each))})
    private = ec.generate_private_key(ec.SECP256R1())
    made = _signed(private, wanted, now)
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    replace(key, pem)
    replace(certificate, made.public_bytes(serialization.Encoding.PEM))
    return _described(made)


def read_certificate(path: Path) -> Certificate:
    """The first certificate of a PEM file.

    Raises:
        VaultError: There is none, or it cannot be read.
    """
    try:
        return _described(x509.load_pem_x509_certificate(path.read_bytes()))
    except OSError as error:
        raise VaultError(f"the certificate {path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise VaultError(
            f"{path} is no certificate", hint="it must be PEM, the server's certificate first, then its chain"
        ) from error


def machine_names() -> frozenset[str]:
    """What this machine is called, by itself and on its networks."""
    name = socket.gethostname()
    short = name.partition(".")[0]
    found = {"localhost", "127.0.0.1", "::1", name, f"{short}.local"}
    with contextlib.suppress(OSError):
        found |= {str(each[4][0]).partition("%")[0] for each in socket.getaddrinfo(name, None)}
    return frozenset(each for each in found if each)


def _kept(certificate: Path, key: Path) -> Certificate | None:
    """The certificate that is there; None where there is none, or it does not fit its key."""
    if not certificate.exists() or not key.exists():
        return None
    try:
        private = serialization.load_pem_private_key(read_private(key), None)
        found = x509.load_pem_x509_certificate(certificate.read_bytes())
    except (ValueError, TypeError, OSError):
        return None
    return _described(found) if found.public_key() == private.public_key() else None


def _signed(private: ec.EllipticCurvePrivateKey, names: Sequence[str], now: datetime) -> x509.Certificate:
    common = next((each for each in names if len(each) <= _COMMON_NAME_LENGTH), "localhost")
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _SKEW)
        .not_valid_after(now - _SKEW + LASTS)
        .add_extension(x509.SubjectAlternativeName(list(_general(names))), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(private, hashes.SHA256())
    )


def _written(name: str) -> str | None:
    """A name as it stands in a certificate: an address in its shortest form, a name in lower case and ASCII.

    None: it is no name of the network.
    """
    try:
        return str(ipaddress.ip_address(name))
    except ValueError:
        pass
    try:
        return name.lower() if name.isascii() else name.encode("idna").decode("ascii").lower()
    except UnicodeError:
        return None


def _general(names: Iterable[str]) -> Iterable[x509.GeneralName]:
    for each in names:
        try:
            yield x509.IPAddress(ipaddress.ip_address(each))
        except ValueError:
            yield x509.DNSName(each)


def _described(found: x509.Certificate) -> Certificate:
    names: set[str] = set()
    with contextlib.suppress(x509.ExtensionNotFound):
        stands = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        names = {*stands.get_values_for_type(x509.DNSName)}
        names |= {str(each) for each in stands.get_values_for_type(x509.IPAddress)}
    return Certificate(
        found.fingerprint(hashes.SHA256()).hex(":").upper(),
        frozenset(names),
        found.not_valid_after_utc,
    )
