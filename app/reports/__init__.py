"""Answers that are read from many records at once: dossiers, gaps, comparisons, syntheses, search results.

In come a connection and a question, out comes the content of an answer as its schema says, ready for JSON or a page.
One module a report, a package where it has parts. They read through `store/read` and compute through `evidence`; none
of them writes a record or knows HTTP.
"""
