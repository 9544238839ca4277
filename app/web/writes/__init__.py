"""Changing records over HTTP: POST, PUT, PATCH, DELETE, drafts and batches.

`routes` declares the operations of a resource, `edits` and `bulk` carry them out, `if_match` and `admission` read
their headers, `ndjson` reads a batch line by line. Each ends in `store/write`; nothing here opens a transaction.
"""
