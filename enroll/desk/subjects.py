"""Everything about people that the desk can be asked, put together for the process."""

from typing import Any

from appliance.app.desk.operations import Operation
from appliance.services import Services
from appliance.settings import Settings
from appliance.wire import Client
from enroll.desk.drafts import Drafts
from enroll.desk.enrolling import Enrolling
from enroll.desk.knowing import Knowledge
from enroll.desk.looking import Models
from enroll.desk.people import People
from enroll.desk.pictures import Pictures
from enroll.desk.snapshots import LoopCameras
from enroll.desk.standing import Standing


def enrolment_operations(services: Services, settings: Settings) -> list[Operation[Any]]:
    """People, and enrolling them; pictures are looked at by the models process, cameras are the loop's."""
    knowledge = Knowledge(services.store, settings.recognition)
    models = Models(Client(services.layout.socket("models")))
    cameras = LoopCameras(Client(services.layout.socket("loop")))
    drafts = Drafts(services.clock.monotonic)
    standing = Standing(services.store, knowledge, drafts)
    ids = [str(each.id) for each in settings.cameras]
    return [
        *People(services.store, knowledge).operations(),
        *Enrolling(services.store, knowledge, drafts, standing).operations(),
        *Pictures(standing, drafts, models, cameras, glances=models, cameras=ids).operations(),
    ]
