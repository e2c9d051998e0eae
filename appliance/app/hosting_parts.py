"""Putting the hosting of functions together: frames of the loop, models, the log, what is published."""

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

from appliance.app.event_queue import EventQueue
from appliance.app.function_features import features_heard
from appliance.app.function_filming import FunctionFilming
from appliance.app.function_frames import loop_frames
from appliance.app.function_inferences import also_told
from appliance.app.function_publishing import FunctionPublishing
from appliance.app.function_sightings import sightings_heard
from appliance.app.function_surroundings import surroundings_in
from appliance.app.hosted_models import open_model_store
from appliance.app.hosting import Hosting, opened
from appliance.clock import SystemClock
from appliance.deeplens.frame_feed import FrameFeeds
from appliance.deeplens.frame_fit import take_one_core
from appliance.deeplens.function_run import Patience
from appliance.deeplens.hosted import Host
from appliance.deeplens.project import thing_for
from appliance.deeplens.projects import Projects
from appliance.deeplens.starting import ContainedStarting, environment_of
from appliance.errors import StoreError
from appliance.ids import random_ids
from appliance.models.folder import ModelFolder
from appliance.services import Layout, Services, device_id
from appliance.settings import Settings
from appliance.wire import Client


@contextlib.contextmanager
def hosting_of(
    settings: Settings, layout: Layout, services: Callable[[], AbstractContextManager[Services]]
) -> Iterator[Hosting]:
    """The deployed functions, begun; ended in order with the block.

    Raises:
        SettingsError: The credentials for functions cannot be read.
        FunctionError: The functions' folder cannot be written.
    """
    take_one_core()
    mine = settings.deeplens
    clock = SystemClock()
    projects = Projects(layout.functions)
    environment = environment_of(mine.region, mine.endpoint_url, mine.credentials_file)
    store = open_model_store(layout.state, ModelFolder(settings.models.directory))
    make_source = loop_frames(layout)
    feeds = FrameFeeds(make_source, fps=mine.fps)

    def host(hosting: Hosting) -> Host:
        starting = ContainedStarting(
            projects,
            lambda: hosting.containment,
            surroundings,
            environment=environment,
            accepted=mine.accept_uncontained,
        )
        return Host(
            starting,
            feeds,
            wall=clock.wall,
            published=hosting.published,
            changed=hosting.changed,
            patience=Patience(frame_s=mine.silent_s),
        )

    begun: list[Hosting] = []
    with (
        EventQueue(services, clock.wall) as events,
        FunctionPublishing(
            settings.mqtt, Client(layout.socket("dispatch")), lambda: next(iter(begun), None)
        ) as publishing,
        contextlib.closing(feeds),
        FunctionFilming(layout) as filming,
        surroundings_in(
            store.shown,
            make_source,
            layout.functions.parent / "out",
            filming if settings.video.enabled else None,
            on_box=mine.box_streams,
            told=lambda name, line: hosting.told(name, line),  # noqa: PLW0108 - it is made below
        ) as surroundings,
        sightings_heard(settings, layout) as sightings,
        features_heard(settings, layout) as features,
        opened(
            Hosting(
                projects,
                host,
                surroundings,
                happened=events.add,
                published=also_told(publishing.publish, sightings, features),
                thing=mine.thing or thing_for(_device(layout)),
                accepted=mine.accept_uncontained,
                wall=clock.wall,
            )
        ) as hosting,
    ):
        begun.append(hosting)
        yield hosting


def _device(layout: Layout) -> str:
    """The box's id; empty while it has none."""
    try:
        return device_id(layout, random_ids, SystemClock(), create=False)
    except StoreError:
        return ""
