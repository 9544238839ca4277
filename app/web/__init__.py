"""HTTP: what every request passes through, and what every answer has.

In comes an ASGI request, out goes a response with ETag, cache policy, links and the right format, or problem+json (RFC
9457). `middleware` is passed before a route is found, `resources` declares the routes that every resource has,
`writes` what changes records, `openapi` the document. What is answered comes from `store` and `reports`.
"""
