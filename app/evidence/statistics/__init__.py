"""Meta-analysis as arithmetic: effect sizes, pooled estimates, heterogeneity, sensitivity analyses.

In come counts, means or estimates of studies (`study_data`), out come numbers with their intervals; `errors` says what
is not defined. Every result is held to R metafor in the tests. It knows no record, no model and no words for people.
"""

ENGINE = "2"
"""The version of the arithmetic; it rises when the same numbers come to another answer."""
