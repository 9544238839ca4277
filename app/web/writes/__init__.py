"""Write operations over HTTP: POST, PUT, PATCH, DELETE, drafts and batches.

`routes` declares the operations of a resource, `edits` and `bulk` carry them out, `if_match` and `admission` parse
their headers, `ndjson` parses a batch line by line. All call `store/write`; no transaction is opened here.
"""
