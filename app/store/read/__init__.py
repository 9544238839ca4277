"""Reading records: lists, single records, facets, history, versions, drafts and releases.

In come a connection that cannot write and a validated query, out come stored JSON documents in order and a cursor.
`query` is the question, `lists` answers it by keyset, `missing` says why a record is not there (308, 404, 410).
Nothing here writes, and nothing knows a request.
"""
