"""HTML for people: view models that turn records into what a template shows, and the templates themselves.

In come records with their context, out goes HTML in which every value is escaped. One module a kind of page or block,
`templates/` for the HTML, `static/` for style sheets, scripts and the published embeds (`static/embed/former` keeps
every script that was ever published). No request, no query: `routers` and `reports` bring what is shown.
"""
