"""The OpenAPI 3.1 document, and the headers and problems that operations declare.

`document` completes what FastAPI derives, `reads` and `writes` document the routes that every resource has, `bodies`
has the schemas of request bodies, `responses` the shared responses, `served` the document as readers get it. The
routes are the input, JSON the output; nothing here changes how a request is handled.
"""
