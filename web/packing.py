"""Text goes out gzipped where the browser takes it. Streams and pictures go out as they are."""

import gzip

from flask import Response, request

_PACKED = ("text/html", "application/json", "text/plain", "text/csv")
_SMALL = 512


def pack(response: Response) -> Response:
    """Gzip an answer that gains by it.

    No other site can have a page with a form token in it fetched over and over and watch its length: the
    cookies are SameSite=Strict, so what another site asks for is answered as to nobody.
    """
    if (
        response.direct_passthrough
        or response.is_streamed
        or response.mimetype not in _PACKED
        or "Content-Encoding" in response.headers
        or "gzip" not in request.headers.get("Accept-Encoding", "")
    ):
        return response
    body = response.get_data()
    response.vary.add("Accept-Encoding")
    if len(body) >= _SMALL:
        response.set_data(gzip.compress(body, 5))
        response.headers["Content-Encoding"] = "gzip"
    return response
