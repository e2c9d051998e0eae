"""Sinks: services elsewhere that things are sent to. Today: a bucket of any S3 service.

`bucket` speaks S3 (through boto3, which no other room uses), `copying` decides what is sent, in which order
and when again, `policy` prints the rights it needs. Nothing here opens or seals a capture; what is sent is
sealed already, or refused.
"""
