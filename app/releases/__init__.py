"""Releases and backups: files that hold the whole dataset at one moment.

`build` makes a release, `difference` says what changed since the one before, `reader` reads one, `pool` keeps some
open, `backups` copies and restores the live file. In comes a database, out goes a SQLite file with its SHA-256. Which
release a request asks for is decided in `web/read_source.py`.
"""
