"""A key of the box's own and a request for a certificate of it: the key never leaves, the request does.

Nothing is sent here, and what comes back is not looked at.
"""

from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from appliance.errors import VaultError
from appliance.vault.private_files import read_private, write_once


def request_certificate(key: Path, name: str) -> bytes:
    """A signed request (PKCS #10, PEM) for a certificate of the key in a file, made if there is none.

    Args:
        key: The private key, PEM; it is written with mode 0600, whole or not at all.
        name: What the certificate is to call the box.

    Raises:
        VaultError: The key cannot be written, or what is there is none.
    """
    try:
        if not key.exists():
            private = ec.generate_private_key(ec.SECP256R1())
            write_once(
                key,
                private.private_bytes(
                    serialization.Encoding.PEM,
                    serialization.PrivateFormat.PKCS8,
                    serialization.NoEncryption(),
                ),
            )
        kept = serialization.load_pem_private_key(read_private(key), password=None)
    except OSError as error:
        raise VaultError(
            f"the key {key} cannot be written: {error.strerror}", hint="look at the folder and its owner"
        ) from error
    except (ValueError, TypeError) as error:
        raise VaultError(
            f"{key} is no private key of ours", hint="move it away, or name another folder"
        ) from error
    if not isinstance(kept, ec.EllipticCurvePrivateKey):
        raise VaultError(f"{key} is no private key of ours", hint="move it away, or name another folder")
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    request = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(kept, hashes.SHA256())
    return request.public_bytes(serialization.Encoding.PEM)
