"""Records as text: pure functions that know neither web nor database."""
