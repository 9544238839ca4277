"""What must hold when things go wrong, measured on real servers: `make reliability`, explained in docs/reliability.md.

`bench` starts databases and servers, `calls` asks them, `figures` says what was found; each other module is a probe
with a function `probe(bench)`. `python -m tests.reliability kill idle` runs some of them, `tests/test_reliability.py`
all of them in their short form, where no time is asserted.
"""
