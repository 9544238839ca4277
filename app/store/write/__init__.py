"""The only writer: one transaction for rows, documents, references, search index and revision.

It takes a validated `Record`, or a batch of them, and returns the stored record with version and revision, or raises a
problem and changes nothing. `transaction` has the steps, `one`, `many`, `save` and `drafts` are the entry points,
`documents` renders, `loaded` is the cache of records that were read. No other package inserts, updates or deletes.
"""
