"""From the numbers of studies to those of all: effects, pooling, heterogeneity; pure, checked against R metafor."""

ENGINE = "2"
"""The version of the arithmetic; it rises when the same numbers come to another answer."""
