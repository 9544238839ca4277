"""Records to and from text: one module a format, each a pure function.

In come records as dictionaries, out comes text: CSV, NDJSON, schema.org, RIS, BibTeX, CSL-JSON, Atom, oEmbed, SVG
plots and badges. `registry` says which resource has which format. `importers` go the other way, from text to records.
No web and no database; HTML is in `pages`.
"""
