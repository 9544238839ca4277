"""Benefit and harm of a treatment for a condition, as people out of 1,000.

`report` reads and orders, `rows` says which rows there are, `pooled` joins results of one outcome, `plain` writes the
sentences, `schemas` is the shape of the answer. In come a treatment and a condition; no result is pooled that
`evidence/comparability` has something against.
"""
