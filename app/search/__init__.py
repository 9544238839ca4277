"""Full text: words as they are compared, what a record says in them, what a question asks for, and which records match.

`matching` and `names` read the index; everything else here knows no database.
"""
