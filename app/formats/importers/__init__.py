"""Importers: they parse text or JSON into records with citations, parents first.

One module a document format. An importer validates its input and names the place of each error. It uses neither the
network nor the database: `tev` and `store/write` save the records.
"""
