"""Answers made from many records."""
