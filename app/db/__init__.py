"""To be introduced."""
