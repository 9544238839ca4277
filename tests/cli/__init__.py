"""The command tev."""
