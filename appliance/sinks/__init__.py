"""Sinks: services elsewhere that things are sent to: an MQTT broker, webhooks, a bucket of any S3 service.

`mqtt` holds the connection to the broker (through paho, which no other room uses); MQTT.md shows its parts.
`webhook` posts signed events; WEBHOOKS.md shows its parts.
`bucket` speaks S3 (through boto3, which no other room uses), `copying` decides what is sent, in which order
and when again, `policy` prints the rights it needs. Nothing here opens or seals a capture; what is sent is
sealed already, or refused.
"""
