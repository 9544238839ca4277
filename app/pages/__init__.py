"""HTML pages: view models built from records, and the Jinja templates that render them.

Input is records with the records that they refer to; output is HTML in which every value is escaped. One module for
each kind of page or block, `templates/` for the HTML, `static/` for style sheets, scripts and the published embeds
(`static/embed/former` keeps every script that was ever published). No HTTP request and no SQL here: `routers` and
`reports` read the records.
"""
