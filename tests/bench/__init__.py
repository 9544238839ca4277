"""Measurements beside other programs; `make bench` runs them, no test does."""
