"""ASGI layers around every request, in the order that `app/main.py` lists.

`request_log` gives the request id and the log line, `headers` the headers of every answer, `checks` refuse what no
handler should see (address, host, key, coding, size), `rate_limits` callers who ask too often. None parses a body.
"""
