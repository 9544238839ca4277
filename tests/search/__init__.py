"""Search and suggestions."""
