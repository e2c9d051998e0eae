"""Kinesis Video Streams: sending clips there until the service has stored them, and reading them again.

`uploader` sends one stream's clips and keeps each fragment in its `spool` until the service said that it is
stored. `put_media` is one connection (`duplex`, `signing`, `acks`), `error_ids` and `refusals` say what its
answers mean, `control` and `endpoints` ask what else must be known, `credentials` finds who asks. `checking`
tries all of it and says in words what is wrong; `policy` is the rights it needs; `reading` is for players.
Cutting video, writing Matroska and any key are others' business.
"""
