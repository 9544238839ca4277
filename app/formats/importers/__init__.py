"""Text or JSON in, records with citations out, parents first.

One module a document format. An importer checks what it reads and names the place of each fault; it saves nothing,
asks no network and knows no database: `tev` and `store/write` do the rest.
"""
