"""Citations against their source: pure functions over texts, quotes and spans."""
