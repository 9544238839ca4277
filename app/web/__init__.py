"""The HTTP layer: ASGI middleware, authentication, content negotiation, caching, problems and shared routes.

A request becomes a response with ETag, Cache-Control, Link headers and the negotiated format, or problem+json (RFC
9457). `middleware` runs before routing, `resources` declares the routes that every resource has, `writes` the write
operations, `openapi` the OpenAPI document. The content of responses comes from `store` and `reports`.
"""
