"""What every answer says to the browser about itself: run nothing foreign, keep nothing, tell nobody.

A page may widen the camera permission for itself (`may_use_camera`); nothing else can be widened.
"""

from typing import Final

from flask import Response, g

POLICY: Final = (
    "default-src 'none'; "
    "script-src 'self'; "
    "style-src 'self'; "
    "img-src 'self' blob: data:; "
    "media-src 'self' blob:; "
    "font-src 'self'; "
    "connect-src 'self'; "
    "manifest-src 'self'; "
    "form-action 'self'; "
    "base-uri 'none'; "
    "frame-ancestors 'none'; "
    "object-src 'none'"
)
"""Nothing inline, nothing from elsewhere; `blob:` and `data:` pictures are what scripts of ours draw."""

_PERMISSIONS: Final = "accelerometer=(), camera={}, display-capture=(), geolocation=(), gyroscope=(), "
_PERMISSIONS_END: Final = "magnetometer=(), microphone=(), midi=(), payment=(), usb=()"


_A_MONTH_S: Final = 30 * 86400


def may_use_camera() -> None:
    """Let the page that is being answered ask for the visitor's own webcam."""
    g.camera_allowed = True


def secure(response: Response, *, strict: bool = False) -> Response:
    """Put the headers on an answer.

    Args:
        response: It.
        strict: Browsers shall never come without TLS again.
    """
    headers = response.headers
    camera = "(self)" if g.get("camera_allowed") else "()"
    headers["Content-Security-Policy"] = POLICY
    headers["Permissions-Policy"] = _PERMISSIONS.format(camera) + _PERMISSIONS_END
    headers["X-Content-Type-Options"] = "nosniff"
    headers["X-Frame-Options"] = "DENY"
    headers["Referrer-Policy"] = "no-referrer"
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"
    headers.setdefault("Cache-Control", "no-store")
    if strict:
        headers["Strict-Transport-Security"] = f"max-age={_A_MONTH_S}"
    return response
