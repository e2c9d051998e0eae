"""The client that speaks S3: endpoint, credentials, time limits. boto3 is loaded when one is made."""

from typing import Any

from appliance.settings import S3Settings
from appliance.sinks.pacing import PacedBody

_CONNECT_S = 10.0
_READ_S = 60.0


def made(settings: S3Settings) -> Any:
    """A client of the service; it asks for nothing yet. Each request is made once: who asks tries again."""
    import boto3  # noqa: PLC0415 - takes a tenth of a second and some sixty megabytes
    import botocore.session  # noqa: PLC0415
    from botocore.config import Config  # noqa: PLC0415

    session = botocore.session.Session()
    if settings.credentials_file is not None:
        session.set_config_variable("credentials_file", str(settings.credentials_file))
    if settings.profile is not None or settings.credentials_file is not None:
        # Named, it goes before whatever the environment says.
        session.set_config_variable("profile", settings.profile or "default")
    chain = boto3.session.Session(botocore_session=session, region_name=settings.region)
    client = chain.client(
        "s3",
        endpoint_url=settings.endpoint,
        region_name=chain.region_name or "us-east-1",
        config=Config(
            connect_timeout=_CONNECT_S,
            read_timeout=_READ_S,
            retries={"total_max_attempts": 1},
            max_pool_connections=1,
            s3={"addressing_style": settings.addressing},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        ),
    )
    # A body is read to be signed before it is read to be sent.
    client.meta.events.register_first("request-created.s3", _signing)
    client.meta.events.register_last("request-created.s3", _sending)
    client.meta.events.register_last("before-parameter-build.s3", _staying)
    return client


def _staying(model: Any, context: dict[str, Any], **_: Any) -> None:
    """Follow no redirection of the question where a bucket is.

    The library asks that when it was sent elsewhere without being told where; of a service that answers this
    question so, too, it would ask it again, and again.
    """
    if model.name == "HeadBucket":
        context.setdefault("s3_redirect", {})["redirected"] = True


def _signing(request: Any, **_: Any) -> None:
    if isinstance(request.body, PacedBody):
        request.body.sent(now=False)


def _sending(request: Any, **_: Any) -> None:
    if isinstance(request.body, PacedBody):
        request.body.sent(now=True)
