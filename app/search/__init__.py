"""Full-text search: the index, and how a question is interpreted.

At a write, `text_fields` and `index_entries` say what of a record is indexed. At a question, `query_parser` reads the
text, `interpretation` corrects it and links names, `engine` asks FTS5 (SQLite) or tsvector (PostgreSQL), `ranking`
orders and `highlighting` marks. What a hit looks like in an answer is in `reports/search`.
"""
