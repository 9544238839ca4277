"""Tests: behaviour, driven through HTTP where a user would see it."""
