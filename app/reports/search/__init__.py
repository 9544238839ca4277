"""What `/v1/search`, `/v1/suggest` and the search page answer.

In comes the text that somebody typed, out come ranked hits with highlights, counts and facets. The index and what a
question means are in `app/search`; here the hits become an answer (`results`, `schemas`) or a page (`page`).
"""
