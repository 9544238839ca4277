"""A meta-analysis of studies that the caller sends: `POST /v1/syntheses`.

In comes a request body, checked against `request`; out comes the answer of `schemas`, with its forest or funnel plot.
The arithmetic is in `statistics`; nothing here reads a record or a database.
"""
