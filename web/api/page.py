"""The API described for people who are signed in: every address with its arguments and an example."""

from flask import Blueprint, render_template, request

from appliance.permissions import Permission
from web.access import permission
from web.api.document import groups
from web.faults import PROGRAM_TITLES

blueprint = Blueprint("api_page", __name__)


@blueprint.get("/api")
@permission(Permission.ACCOUNT)
def index() -> str:
    """The page."""
    address = request.host_url.rstrip("/")
    return render_template("api/index.html", groups=groups(), address=address, titles=PROGRAM_TITLES)
