"""What the office has of the box, on one page: where a phone has no room for all of its places."""

from flask import Blueprint, render_template

from appliance.permissions import Permission
from web.access import permission

blueprint = Blueprint("office", __name__)


@blueprint.get("/office")
@permission(Permission.ACCOUNT)
def index() -> str:
    """Each place of the office that this viewer may see."""
    return render_template("office/index.html")
