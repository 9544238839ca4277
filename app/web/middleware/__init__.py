"""ASGI middleware for every request, in the order that `app/main.py` lists.

`request_log` sets the request id and writes the access log, `headers` sets the common response headers, `checks` refuse
requests by URL, Host, API key, content coding and size, `rate_limits` refuse those above a limit. None parses a body.
"""
