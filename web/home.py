"""The first page: the door, who came, what needs an eye. It shows; it decides nothing."""

from flask import Blueprint, render_template

from appliance.permissions import Permission
from web.access import permission

blueprint = Blueprint("home", __name__)


@blueprint.get("/")
@permission(Permission.ACCOUNT)
def dashboard() -> str:
    """The page one begins with."""
    return render_template("home/dashboard.html")
