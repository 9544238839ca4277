"""Pooled results of records: a question about treatment, condition and outcome becomes a meta-analysis.

`question` is the query, `results` and `entries` the study results it finds, `answer` and `content` the pooled
estimate, `plain` its sentences, `formats` JSON, CSV and plots, `archive` the permalinks of answers that were given.
The arithmetic is in `evidence`; whether results may be pooled is decided in `evidence/comparability.py`.
"""
