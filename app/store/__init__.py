"""Records in the database: `read` selects them, `write` is the only way in.

Every writer (the seed, an importer, the API) uses one transaction of `store/write`, which renders the JSON document of
each record and stores it beside its columns. Readers get these stored documents. `examples` are the seed's records as
the documentation shows them. Nothing here depends on HTTP or interprets results.
"""
