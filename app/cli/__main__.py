"""`python -m app.cli` is `tev`."""

from app.cli import main

main()
