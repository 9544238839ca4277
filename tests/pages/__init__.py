"""HTML for people, and embeds."""
