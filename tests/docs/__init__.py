"""Documents say what the program does."""
