"""The only writer: whoever writes — the seed, an importer, the API — ends here, in one transaction."""
