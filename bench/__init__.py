"""Measurements of the service beside its peers (`make bench`), of search and of pooling; RESULTS.md has the figures.

In comes the program as it stands, made-up records and other people's programs; out come tables. Nothing in `app` knows
of this package, and no test asserts a time: `tests/bench` proves that it runs.

- `run` is the command; `cases` and `processes` say what is measured, `contestants` beside whom, `goals` what was hoped;
- `load` starts servers and asks them with wrk, `files` makes the records, `shared` makes a case into a table, `depth`
  follows one request through the program, `report` writes the tables;
- `peers` are the other programs, as their own users would write them;
- `search`, `pooling` and `tops` are measurements in process, each a command of its own.
"""
