"""`appliance enroll merge`: two enrolments turn out to be of one person."""

import click

from appliance.cli.context import Context
from enroll.asking import as_json_option, yes_option
from enroll.erasing import told
from enroll.reporting import after
from enroll.telling import label, say_with
from enroll.uniting import merged_json, proposal


@click.command("merge")
@click.argument("keep")
@click.argument("other")
@yes_option
@as_json_option
@click.pass_obj
def merge(context: Context, keep: str, other: str, *, yes: bool, as_json: bool) -> None:
    """Let KEEP take over the pictures and consents of OTHER, and remove OTHER: they are one person.

    KEEP's name, initials and state stay, and the stricter of both thresholds. Of what they agreed to, the
    later word counts: what either took back after the other gave it stays taken back. OTHER's key is
    destroyed, and with it the name and what is personal about OTHER in the log. Says how alike the two look,
    and asks; with --yes two who do not look alike are merged all the same, with a warning.

    \b
    Examples:
      appliance enroll merge "Ann Example" "Ann Examplé"
      appliance enroll merge 0190a5c2 0190b7e1 --yes --json
    """
    # Late, so that `enroll list` does not load the networks' runtime.
    from appliance.app.enrolled_faces import EnrolledFaces
    from appliance.app.error_tables import read_tables

    with context.services() as services:
        store = services.store
        one, two = store.subject(keep), store.subject(other)
        faces = EnrolledFaces.of(store, context.settings.recognition, read_tables())
        wanted = proposal(store, faces, one, two)
        if wanted.alike is False and (found := wanted.measured) is not None:
            click.echo(
                f"warning: they do not look alike: score {found[0]:.3f}, threshold {found[1]:.3f}", err=True
            )
        if not yes:
            click.confirm(
                f"{label(two)} ({two.references} reference(s)) becomes part of {label(one)} "
                f"({one.references}) and is removed; together they agreed to: "
                f"{', '.join(wanted.agreed)}. Merge?",
                abort=True,
                err=True,
            )
        merged = store.merge(one.id, two.id)
        safety = after(context, store)
    said = merged_json(merged, wanted)
    words = (
        f"{label(merged.subject)} has {merged.subject.references} reference(s) now, "
        f"{merged.references} of them taken over; the other enrolment is removed"
    )
    say_with(safety, said, told(words, emptied=merged.erased), as_json=as_json)
