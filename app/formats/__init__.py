"""Serialisers and parsers of records: one module a format, each of pure functions.

Serialisers take records as dictionaries and return text: CSV, NDJSON, schema.org, RIS, BibTeX, CSL-JSON, Atom, oEmbed,
SVG plots and badges. `registry` lists the formats of each resource. `importers` parse text into records. No module here
knows HTTP or the database; HTML is in `pages`.
"""
