"""The responses of `/v1/search`, `/v1/suggest` and the search page.

They turn a query text into ranked hits with snippets, counts and facets. The index and the interpretation of queries
are in `app/search`; here the hits become a JSON response (`results`, `schemas`) or an HTML page (`page`).
"""
