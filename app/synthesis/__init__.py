"""From the numbers of studies to those of all: effects, pooling, heterogeneity; pure, checked against R metafor."""
