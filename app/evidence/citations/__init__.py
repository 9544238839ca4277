"""Does a number stand where its citation says it stands: quotes, spans, and the numbers read from text.

In come a record, its citations and the stored text of a source; out comes a verification level (`recorded`,
`quote-found`, `number-in-quote`), or the JSON pointer of what was not found. Numbers in prose are read by
`text_numbers` (ISO 80000-1), structured sources by JSON pointer (RFC 6901). Nothing here decides whether a source is
right.
"""
