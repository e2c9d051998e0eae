"""`appliance kvs …`: clips in Kinesis Video Streams: whether it works, how it is, the rights it needs."""

import json
import re
import time
from dataclasses import asdict

import click

from appliance.app.kvs_streams import camera_streams, checking_of, sent_before, states
from appliance.cli.context import Context
from appliance.cli.kvs_local import serve_local
from appliance.clock import SystemClock
from appliance.errors import InputError, SettingsError, StreamError
from appliance.video.kvs.checking import CheckStep
from appliance.video.kvs.policy import policy as policy_of
from appliance.video.kvs.upload_state import UploadState

_RESOURCE = re.compile(r"[a-zA-Z0-9_.-]{1,256}\*?|arn:[a-z0-9-]+:kinesisvideo:[!-~]{1,900}")
_MIB = 1024 * 1024
_MINUTE_S, _HOUR_S, _DAY_S = 60, 3600, 86_400
_SIGNS = {"ok": "ok     ", "warning": "warning", "failed": "FAILED ", "skipped": "-      "}
_WORDS = {
    "idle": "nothing is to be sent",
    "connecting": "connecting",
    "sending": "sending",
    "waiting": "waiting to try again",
    "stopped": "waiting for somebody to act; tried again now and then",
}


@click.group()
def kvs() -> None:
    """Clips in Kinesis Video Streams.

    The running appliance sends them by itself once video.kvs.enabled is set.

    \b
    Examples:
      appliance kvs policy > policy.json
      appliance kvs check
      appliance kvs status
      appliance kvs serve-local
    """


kvs.add_command(serve_local)


@kvs.command("check")
@click.option("--camera", help="Only this camera's stream.")
@click.option("--stream", help="The stream of this name, whether a camera's or not.")
@click.option(
    "--raise-retention", is_flag=True, help="Let a stream that keeps video for less keep it longer."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, for each step.")
@click.pass_obj
def check(
    context: Context, *, camera: str | None, stream: str | None, raise_retention: bool, as_json: bool
) -> None:
    """Try the whole path: make the stream, send two seconds of a gray picture, find and play it.

    What it sends stays in the stream until its retention is over. Each line is a right of the credentials.
    """
    settings = context.settings.video.kvs
    failed = []
    for name in _chosen(context, camera, stream):
        for step in checking_of(settings, name, SystemClock(), raise_retention=raise_retention).steps():
            if as_json:
                click.echo(json.dumps({"stream": name, **asdict(step)}))
            else:
                _print(name, step)
            failed += [step] if step.verdict == "failed" else []
    if failed:
        count = f"{len(failed)} step{'s' * (len(failed) > 1)} failed"
        raise StreamError(f"{count}: video would not arrive as it should, or not be found")


@kvs.command("status")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_obj
def status(context: Context, *, as_json: bool) -> None:
    """How sending is: what waits, how far it lags behind, what is in the way. As told by the appliance."""
    now_s = time.time()
    known = states(context.layout, camera_streams(context.settings).values())
    if as_json:
        click.echo(
            json.dumps([{**asdict(each), "lag_s": round(each.lag_s(now_s))} for each in known], indent=1)
        )
        return
    if not context.settings.video.kvs.enabled:
        click.echo("nothing is sent: video.kvs.enabled is off")
    for each in known:
        for line in _lines(each, now_s):
            click.echo(line)


@kvs.command("policy")
@click.option(
    "--stream",
    "more",
    multiple=True,
    help="A stream besides, by name, ARN or how its name begins (deeplens-*). May be given several times.",
)
@click.pass_obj
def policy(context: Context, *, more: tuple[str, ...]) -> None:
    """Print the rights that sending and playing need, as an IAM policy for this box's streams.

    Those are the cameras', those that were sent to before, and those that --stream names: a function names
    its stream only once it records, so name it, or its beginning, before.
    """
    for name in more:
        if not _RESOURCE.fullmatch(name):
            raise InputError(f"{name[:64]!r} names no stream", hint="give its name, its ARN, or deeplens-*")
    known = camera_streams(context.settings).values()
    streams = sorted({*known, *sent_before(context.settings, context.layout), *more})
    if not streams:
        raise _no_camera()
    click.echo(json.dumps(policy_of(context.settings.video.kvs, streams), indent=2))


def _chosen(context: Context, camera: str | None, stream: str | None) -> list[str]:
    """Names of the streams to try.

    Raises:
        InputError: There is no such camera.
        SettingsError: There is none at all.
    """
    if stream is not None:
        return [stream]
    known = camera_streams(context.settings)
    if camera is not None and camera not in known:
        there = ", ".join(sorted(known)) or "none"
        raise InputError("there is no such camera in the settings", hint=f"there are: {there}")
    if not known:
        raise _no_camera()
    return [known[camera]] if camera is not None else sorted(set(known.values()))


def _no_camera() -> SettingsError:
    return SettingsError(
        "there is no camera in the settings, so there is no stream", hint="name one with --stream"
    )


def _print(stream: str, step: CheckStep) -> None:
    click.echo(f"{stream}  {_SIGNS[step.verdict]}  {step.words}")
    for line in (step.hint, step.command):
        if line:
            click.echo(f"{' ' * len(stream)}           {line}")


def _lines(state: UploadState, now_s: float) -> list[str]:
    if not state.at:
        return [f"{state.stream}: nothing was ever sent"]
    lines = [f"{state.stream}: {_WORDS[state.state]}"]
    if state.waiting:
        lag = _ago(state.lag_s(now_s))
        size = f"{state.waiting_bytes / _MIB:.1f} MiB"
        clips = f"{state.waiting_clips} clip{'s' * (state.waiting_clips > 1)}"
        lines.append(
            f"    {state.waiting} fragments of {clips} wait here, {size}; the oldest ended {lag} ago"
        )
    lines.append(
        f"    since the start {state.persisted} stored, {state.resent} sent again, {state.lost} given up, "
        f"{state.connections} connections"
    )
    if state.acks:
        lines.append(
            f"    the service answered: {', '.join(f'{n} {word}' for word, n in sorted(state.acks.items()))}"
        )
    if state.newest_ms is not None:
        lines.append(f"    the newest that is stored was recorded {_ago(now_s - state.newest_ms / 1000)} ago")
    if state.retention_hours is not None:
        lines.append(f"    the service keeps it for {state.retention_hours} hours")
    if state.trouble:
        lines.append(f"    in the way, {state.failures} time(s) in a row: {state.trouble}")
        lines += [f"        {state.hint}"] if state.hint else []
    return lines


def _ago(seconds: float) -> str:
    if seconds < _MINUTE_S:
        return f"{max(0.0, seconds):.0f} seconds"
    if seconds < _HOUR_S:
        return f"{seconds / _MINUTE_S:.0f} minutes"
    return f"{seconds / _HOUR_S:.0f} hours" if seconds < _DAY_S else f"{seconds / _DAY_S:.0f} days"
