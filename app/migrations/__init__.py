"""The schema's history, as Alembic keeps it: one file a change in `versions`.

In comes a database of any earlier version, out goes one with the schema of the models. Written by `make migration
MESSAGE="…"`, which compares the models with what the history gives; run by every command before it does anything else.
Migrations change the schema only: documents take a new shape by being rendered again (`store/write/rerender.py`).
"""
