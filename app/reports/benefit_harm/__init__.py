"""Benefits and harms of a treatment for a condition, as absolute effects per 1,000 people.

`report` reads the records and orders the rows, `rows` builds the parts of a row, `pooled` pools the study results of
one outcome, `plain` writes the sentences, `schemas` holds the response schema. Results with a conflict under
`evidence/comparability.py` are not pooled.
"""
