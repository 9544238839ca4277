"""What study results say together: their numbers, whether they may be joined, what it means for people, in words."""
