"""The JSON API under `/api/v1`: the desk's operations for programs, each at an address of its own.

`table` says which operation is where, and why some are nowhere; `calls` answers, for tokens alone; `document`
describes it all as OpenAPI 3.1, made from `operations.json`, which is made from the desk itself; `page` shows
it to people. The desk checks what it is told and who may; here an address becomes an operation, and an error
a problem of RFC 9457.
"""
