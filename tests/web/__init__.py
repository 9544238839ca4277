"""HTTP as callers meet it."""
