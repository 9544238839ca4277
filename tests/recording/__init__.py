"""What the service answers to thousands of requests, recorded and compared between two versions of the program.

The requests follow from what the service says itself (its OpenAPI document, records and pages), in the same order each
time. Nothing is imported from `app`, so that one recorder asks a program before and after its files were moved.
"""
