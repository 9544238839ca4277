"""The OpenAPI 3.1 document, and the headers and problems that operations declare.

`document` completes what FastAPI derives, `bodies` has the schemas of request bodies, `responses` the shared
responses. The routes are the input, JSON the output; nothing here changes how a request is handled.
"""
