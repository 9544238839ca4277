"""Meta-analysis as arithmetic: effect sizes, pooled estimates, heterogeneity, sensitivity analyses.

Input: counts, means or estimates of studies (`study_data`). Output: numbers with their confidence intervals, or the
exceptions of `errors` where a result is not defined. The tests compare every result with R metafor. The package knows
no records, no models and no texts for people.
"""

ENGINE = "2"
"""The version of the arithmetic; raise it when the same input gives another result."""
