"""Citation verification: quotes, spans and numbers of a record against the stored text of its sources.

Input: a record with its citations, and the stored texts. Output: a verification level (`recorded`, `quote-found`,
`number-in-quote`), and the JSON pointer of each quote or number that was not found. `text_numbers` reads numbers in
prose (ISO 80000-1), `pointers` resolves JSON pointers in structured sources (RFC 6901). Whether a source is right is
not judged.
"""
