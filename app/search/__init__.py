"""Full-text search: the inverted index, query parsing and interpretation, matching, ranking and highlighting.

Indexing: `text_fields` and `index_entries` build the index entry of a record at each write. Querying: `query_parser`
reads the search text, `interpretation` corrects misspellings and expands synonyms, `engine` runs the query on FTS5
(SQLite) or tsvector (PostgreSQL), `ranking` orders the hits and `highlighting` builds snippets. The JSON of a hit is
built in `reports/search`.
"""
