"""What results say, what quotes say, and where records disagree: pure functions over records.

In come records as dictionaries and the numbers in them; out come effects, pooled estimates, sentences, and reasons why
something cannot be computed. Packages: `statistics` (arithmetic that knows no record), `calculator` (a question of
numbers that a caller sent), `citations` (does the number stand in the quote), `gaps` (what speaks against what). No
web, no database, no clock: the same input gives the same answer for ever.
"""
