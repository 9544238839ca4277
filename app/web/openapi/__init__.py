"""The OpenAPI 3.1 document, and the headers and problems that operations declare.

`document` completes what FastAPI derives, `bodies` are the schemas of request bodies, `responses` the shared
responses. In come the routes, out goes JSON; nothing here changes how a request is answered.
"""
