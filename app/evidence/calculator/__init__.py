"""A meta-analysis of studies that the caller sends: `POST /v1/syntheses`.

`request` validates the request body, `answer` builds the response model of `schemas` and its CSV, `plots` draws the
forest and funnel plots. The arithmetic is in `statistics`; nothing here reads a record or a database.
"""
