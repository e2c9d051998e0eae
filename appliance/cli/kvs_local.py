"""`appliance kvs serve-local`: a Kinesis Video Streams of one's own, for a trial without AWS."""

import json
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from appliance import logs
from appliance.cli.context import Context

if TYPE_CHECKING:
    from appliance.app.kvs_local import LocalFiles
    from appliance.video.kvs_server.server import KvsServer


@click.command("serve-local")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at.")
@click.option("--port", default=7443, show_default=True, type=click.IntRange(0, 65535), help="Its port.")
@click.option(
    "--media-port",
    type=click.IntRange(0, 65535),
    help="Serve media at this port, over plain HTTP, as the data endpoint.",
)
@click.option("--region", default="us-west-2", show_default=True, help="The region it stands for.")
@click.option(
    "--keep", is_flag=True, help="Keep streams and video on the disk, sealed. Otherwise they stay in memory."
)
@click.option(
    "--memory-mib",
    default=512,
    show_default=True,
    type=click.IntRange(1, 65536),
    help="Video held in memory; above it the oldest goes.",
)
@click.option(
    "--fault",
    "faults",
    multiple=True,
    metavar="FAULT",
    help="Let something go wrong, such as error:4006@3, cut:persisted@2, delay:persisted=2, mute@4, "
    "slow:20000, refuse:500 or refuse:ConnectionLimitExceededException*3. May be given several times.",
)
@click.option(
    "--deny",
    "denied",
    multiple=True,
    metavar="OPERATION",
    help="Let the keys' policy not allow an operation, such as PutMedia. May be given several times.",
)
@click.option(
    "--strict",
    is_flag=True,
    help="Hold the quotas of fragments and bytes a second, and refuse fragments shorter than a second.",
)
@click.option("--json", "as_json", is_flag=True, help="Say where it listens as one JSON object.")
@click.pass_obj
def serve_local(
    context: Context,
    *,
    host: str,
    port: int,
    media_port: int | None,
    region: str,
    keep: bool,
    memory_mib: int,
    faults: tuple[str, ...],
    denied: tuple[str, ...],
    strict: bool,
    as_json: bool,
) -> None:
    """Serve a Kinesis Video Streams of your own until Ctrl-C, for a trial without AWS.

    Streams are made; video is taken, checked by every rule that is documented (with --strict also by quotas),
    listed and played. It is written from documentation and was never compared with AWS. Its keys are made
    the first time and lie in a file that AWS's own tools read; every request must be signed with them. What
    a producer does wrong is told on standard error.

    \b
    Faults: error:ID[=bare]@N       ERROR in the Nth fragment, bare: without saying which
            cut:MOMENT[=SECONDS]@N  reset; MOMENT is buffering, within, received, stored or persisted;
                                    SECONDS for which the stream stays taken
            delay:SAYING=SECONDS[@N]  mute@N  slow:BYTES_PER_SECOND
            refuse:TYPE_OR_STATUS[=OPERATION]
    Each happens once; with *TIMES at its end as often.
    """
    from appliance.app.kvs_local import FOLDER, LocalFiles, LocalServing
    from appliance.app.kvs_local import serve_local as serve
    from appliance.video.kvs_server.faults import parse_fault

    serving = LocalServing(
        host,
        port,
        media_port,
        region,
        memory_mib,
        faults=tuple(parse_fault(each) for each in faults),
        denied=denied,
        strict=strict,
    )
    # What a producer does wrong is what whoever tries one wants to see.
    logs.configure("kvs-local", level="info")
    files = LocalFiles(context.layout.state.resolve() / FOLDER)
    with ExitStack() as held:
        vault = held.enter_context(context.services(create=True)).vault if keep else None
        serve(
            serving,
            files,
            vault=vault,
            ready=lambda server: _tell(server, files, region, as_json=as_json),
        )
    if not as_json:
        click.echo("stopped")


def _tell(server: "KvsServer", files: "LocalFiles", region: str, *, as_json: bool) -> None:
    """Where it listens, and what to tell clients."""
    control, media = server.addresses[0], server.addresses[-1]
    if as_json:
        row = {
            "control": control,
            "media": media,
            "region": region,
            "credentials": str(files.credentials),
            "certificate": str(files.certificate),
        }
        click.echo(json.dumps(row))
        return
    click.echo(f"listens at {control}, takes media at {media}; Ctrl-C stops it")
    click.echo("settings of an appliance that sends to it:")
    click.echo(
        "  [video.kvs]\n  enabled = true\n"
        f"  endpoint = {_quoted(control)}\n"
        f"  region = {_quoted(region)}\n"
        f"  ca_file = {_quoted(files.certificate)}\n"
        f"  credentials_file = {_quoted(files.credentials)}"
    )
    click.echo("environment of AWS's own tools:")
    click.echo(
        f"  AWS_ENDPOINT_URL_KINESIS_VIDEO={control} AWS_CA_BUNDLE={files.certificate}\n"
        f"  AWS_SHARED_CREDENTIALS_FILE={files.credentials} AWS_DEFAULT_REGION={region}"
    )


def _quoted(value: str | Path) -> str:
    """As TOML writes text; a JSON string is one, too."""
    return json.dumps(str(value))
