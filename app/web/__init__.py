"""The HTTP layer: ASGI middleware, authentication, content negotiation, caching, problems and shared routes.

A request becomes a response with ETag, Cache-Control, Link headers and the negotiated format, or problem+json (RFC
9457). `middleware` runs before routing, `route_table` finds a route and `late_routes` builds it at its first request.
`resources` declares the routes that every resource has, `read_context` is what handlers of other reads share, `writes`
has the write operations, `openapi` the OpenAPI document. The content of responses comes from `store` and `reports`.
"""
