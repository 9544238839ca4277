"""The only writer: one transaction that holds rows, documents, references, full text and revision.

In comes a validated `Record`, or a batch of them; out comes what was saved, with version and revision, or a problem
and no change. `transaction` holds the steps, `one`, `many`, `save` and `drafts` are the ways in, `documents` renders,
`loaded` keeps what was read of the database meanwhile. No other package inserts, updates or deletes.
"""
