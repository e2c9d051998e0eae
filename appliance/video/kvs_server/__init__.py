"""A local server that speaks Kinesis Video Streams: for tests, and for a trial without AWS.

Written from documentation and from what official clients send; never compared with AWS itself.
`README.md` says what is checked and what is not. `server` is where to start; `ingest` has the rules of
PutMedia without a socket. Nothing here sends anything to AWS.
"""
