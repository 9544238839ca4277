"""What must hold when things go wrong, measured on real servers: `make reliability`, explained in docs/reliability.md.

`bench` and `servers` make databases and start servers, `calls` asks them, `figures` says what was found; each module
with a function `probe(bench)` is a probe. `python -m tests.reliability kill idle` runs some of them, and
`tests/contract/test_reliability.py` all of them in their short form, where no time is asserted.
"""
