"""Formats that records come in: each file turns one of them into records, and knows neither web nor database."""
