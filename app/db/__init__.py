"""The database as a machine: engines, tables, connections to read with, and the one write transaction.

In come functions that take a connection, out goes what they return, or a problem (503, 507) that says why not. The
differences between SQLite and PostgreSQL live here and in `search`. Reads run in a pool that cannot write and are cut
off after their second; writes wait in one queue and share a commit. What a record is, nobody knows here.
"""
