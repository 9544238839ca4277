"""The pure functions of app/evidence."""
