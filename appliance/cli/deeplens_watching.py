"""`appliance deeplens logs` and `messages`: what a deployed function prints, and what it publishes."""

import json
import time

import click

from appliance.cli.context import Context
from appliance.cli.deeplens_asking import asked
from appliance.cli.deeplens_trying import one_line
from appliance.wire.messages import AskFunctionLog, AskFunctionMessages, FunctionLogLines, FunctionMessages

_WAIT_S = 10.0
_LOOK_S = 0.5


@click.command("logs")
@click.argument("name")
@click.option("-f", "--follow", is_flag=True, help="Go on with what comes, until Ctrl-C.")
@click.option("--lines", type=click.IntRange(1, 2000), default=100, show_default=True, help="The newest.")
@click.pass_obj
def logs(context: Context, *, name: str, follow: bool, lines: int) -> None:
    """Print what a deployed function printed, with what the host says of it in brackets.

    \b
    Examples:
      appliance deeplens logs dogs
      appliance deeplens logs dogs -f
    """
    from appliance.deeplens.function_log import FunctionLog, Tail
    from appliance.deeplens.projects import Projects

    for each in asked(context, AskFunctionLog(name=name, lines=lines), FunctionLogLines).lines:
        click.echo(each)
    if not follow:
        return
    log = FunctionLog(Projects(context.layout.functions).folder(name).log)
    tail = Tail(log, begin=False)
    while True:
        for each in tail.more():
            click.echo(each)
        time.sleep(_LOOK_S)


@click.command("messages")
@click.argument("name")
@click.option("-f", "--follow", is_flag=True, help="Go on with what comes, until Ctrl-C.")
@click.option("--last", type=click.IntRange(1, 1000), default=20, show_default=True, help="The newest.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, payloads whole.")
@click.pass_obj
def messages(context: Context, *, name: str, follow: bool, last: int, as_json: bool) -> None:
    """Print what a deployed function publishes; the newest thousand are kept, in memory alone.

    \b
    Examples:
      appliance deeplens messages dogs
      appliance deeplens messages dogs -f --json
    """
    got = asked(context, AskFunctionMessages(name=name, most=last, newest=True), FunctionMessages)
    while True:
        for each in got.messages:
            if as_json:
                click.echo(each.model_dump_json())
            else:
                click.echo(f"{each.at:%H:%M:%S} {one_line(each.topic)}  {one_line(each.payload)}")
        if not follow:
            break
        after = got.messages[-1].sequence if got.messages else got.newest
        wanted = AskFunctionMessages(name=name, after=after, wait_s=_WAIT_S)
        got = asked(context, wanted, FunctionMessages, timeout_s=_WAIT_S + 15.0)
    if got.dropped and not as_json:
        click.echo(f"{got.dropped} messages were lost: it publishes more than is taken", err=True)
    if as_json:
        click.echo(json.dumps({"newest": got.newest, "dropped": got.dropped}), err=True)
