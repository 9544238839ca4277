"""Reading records: lists, single records, facets, history, versions, drafts and releases.

Functions take a read-only connection and a validated query, and return stored JSON documents in order and a cursor.
`query` defines the query parameters, `lists` runs keyset pagination, `missing` explains an absent record (308, 404,
410). Nothing here writes, and nothing depends on an HTTP request.
"""
