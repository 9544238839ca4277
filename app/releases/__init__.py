"""Releases and backups: SQLite files that hold the whole dataset at one moment.

`build` makes a release, `difference` counts the changes since the previous one, `reader` reads one, `pool` caches open
ones, `backups` copies and restores the live file. Input is a database, output a SQLite file with its SHA-256. Which
release a request reads is decided in `web/read_source.py`.
"""
