"""Database access: engines, tables, pooled read-only connections and the one write transaction.

Callers pass functions that take a connection, and get their return value or a problem (503, 507). The differences
between SQLite and PostgreSQL live here and in `search`. Reads run in a pool of read-only connections with a time limit
of one second; writes wait in one queue and share a commit. Nothing here depends on the records.
"""
