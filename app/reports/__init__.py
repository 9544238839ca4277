"""Answers that are read from many records: whole pages, states on a day, gaps, counts, changes."""
