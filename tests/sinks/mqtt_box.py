"""A box that connects to a broker and stays, until it is killed. The settings are its argument, as JSON."""

import sys
import threading

from appliance.settings import MqttSettings
from appliance.sinks.mqtt import Mqtt
from appliance.sinks.mqtt_topics import Topics

settings = MqttSettings.model_validate_json(sys.argv[1])
Mqtt(settings, Topics.of(settings, "box"), "box").start()
threading.Event().wait()
