"""The write queue and the read pool."""
