"""Reports that combine many records: dossiers, gap reports, comparisons, syntheses, search results.

A report takes a database connection and a query, and returns the content of a response as its schema says, ready for
JSON or an HTML page. One module a report, a package where it has parts. Reports read through `store/read` and compute
through `evidence`; none of them writes a record or knows HTTP.
"""
