"""Signing in and out, the first admin's account, and everybody's own account page.

Who may sign in, how passwords are kept and how often one may try is the desk's; this shows the forms.
"""

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from appliance.errors import AccessError, ApplianceError, FormError, NotSignedInError, ThrottledError
from appliance.permissions import Permission
from web import cookies
from web.access import permission, public
from web.asking import ask
from web.forms import redirected_to

blueprint = Blueprint("accounts", __name__)


@blueprint.get("/sign-in")
@public
def sign_in() -> str | Response:
    """The form; without any account yet, how to make the first one."""
    if ask("first_run.state").result["needed"]:
        return redirect(url_for("accounts.first_run"))
    return render_template(
        "accounts/sign_in.html", error=None, name="", next=redirected_to(request.args.get("next"), "")
    )


@blueprint.post("/sign-in")
@public
def open_session() -> Response:
    """Sign in, and go where the visitor wanted to."""
    name = request.form.get("name", "")
    target = redirected_to(request.form.get("next"), "/")
    try:
        password = request.form.get("password", "")
        opened = ask("session.open", name=name, password=password, client=request.remote_addr or "").result
    except (NotSignedInError, ThrottledError, FormError) as error:
        throttled = isinstance(error, ThrottledError)
        text = render_template("accounts/sign_in.html", error=error, name=name, next=target)
        response = make_response(text, 429 if throttled else 422)
        if isinstance(error, ThrottledError):
            response.headers["Retry-After"] = str(max(1, round(error.wait_s)))
        return response
    return _signed_in(opened["secret"], target)


@blueprint.post("/sign-out")
@permission(Permission.ACCOUNT)
def sign_out() -> Response:
    """End this session, on the desk and in the browser."""
    ask("session.close")
    response = redirect(url_for("accounts.sign_in"), code=303)
    cookies.end(response, cookies.SESSION)
    return response


@blueprint.get("/first-run")
@public
def first_run() -> str:
    """The first admin's form. The one-time code comes in the address's fragment, which is never sent."""
    needed = ask("first_run.state").result["needed"]
    return render_template("accounts/first_run.html", needed=needed, error=None, name="")


@blueprint.post("/first-run")
@public
def create_admin() -> Response:
    """Make the first admin, sign them in, and go on with setting up."""
    name = request.form.get("name", "")
    code = request.form.get("code", "").strip()
    password = request.form.get("password", "")
    try:
        same(password, request.form.get("again", ""))
        client = request.remote_addr or ""
        made = ask("first_run.create_admin", code=code, name=name, password=password, client=client)
    except (AccessError, FormError) as error:
        told = {"needed": True, "error": error, "name": name, "code": code, "known": _known(error, code)}
        text = render_template("accounts/first_run.html", **told)
        return make_response(text, 422)
    return _signed_in(made.result["secret"], "/set-up")


@blueprint.get("/password")
@public
def password_link() -> str:
    """For who was given a link to choose a password; its code comes in the fragment, like the first one."""
    return render_template("accounts/password.html", error=None, code="")


@blueprint.post("/password")
@public
def choose_password() -> Response:
    """Set it, and sign its owner in."""
    code, password = request.form.get("code", "").strip(), request.form.get("password", "")
    client = request.remote_addr or ""
    try:
        same(password, request.form.get("again", ""))
        opened = ask("password.redeem", code=code, password=password, client=client).result
    except (AccessError, FormError) as error:
        known = _known(error, code)
        text = render_template("accounts/password.html", error=error, code=code, known=known)
        return make_response(text, 422)
    return _signed_in(opened["secret"], "/")


@blueprint.get("/account")
@permission(Permission.ACCOUNT)
def account() -> str:
    """One's own account: password, where one is signed in."""
    return _account(None)


@blueprint.get("/account/session")
@permission(Permission.ACCOUNT)
def signed_in() -> Response:
    """Nothing, to who is signed in still; a script asks where a stream was refused."""
    return Response(status=204)


@blueprint.post("/account/sessions/<session>/end")
@permission(Permission.ACCOUNT)
def end_session(session: str) -> Response:
    """Sign out somewhere else."""
    ask("session.end", session=session)
    flash("Signed out there.", "good")
    return redirect(url_for("accounts.account"), code=303)


@blueprint.post("/account/password")
@permission(Permission.ACCOUNT)
def change_password() -> Response:
    """Another password; every other session of this operator ends."""
    form = request.form
    try:
        same(form.get("new", ""), form.get("again", ""))
        changed = ask("password.change", old=form.get("old", ""), new=form.get("new", "")).result
    except (FormError, ThrottledError) as error:
        return make_response(_account(error), 422)
    flash("Your password was changed. Every other browser was signed out.", "good")
    if changed["tokens"]:
        count = "One token" if changed["tokens"] == 1 else f"{changed['tokens']} tokens"
        flash(f"{count} of yours can still be used. Somebody else had your password? Revoke them.", "warn")
    return redirect(url_for("accounts.account"), code=303)


def _known(error: ApplianceError, code: str) -> bool:
    """Whether a form that comes back need not ask for its one-time code again: it is not what was wrong."""
    return bool(code) and isinstance(error, FormError) and "code" not in error.fields


def _account(error: ApplianceError | None) -> str:
    return render_template("accounts/account.html", error=error, sessions=ask("session.list").result)


def same(password: str, again: str) -> None:
    """A password that is chosen is written twice.

    Raises:
        FormError: It was not the same.
    """
    if password != again:
        raise FormError("the passwords differ", fields={"again": "not the same as above"})


def _signed_in(secret: str, target: str) -> Response:
    response = redirect(target, code=303)
    cookies.set_session(response, secret)
    cookies.end(response, cookies.FORM)
    return response
