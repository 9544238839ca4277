"""Records in the database: `read` selects them, `write` is the only way in.

Every writer (the seed, an importer, the API) ends in one transaction of `store/write`, which renders the JSON
document of each record beside its row. Readers get these stored documents. `examples` are the seed's records as
the documentation shows them. No HTTP here, and no meaning of a result.
"""
