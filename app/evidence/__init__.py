"""Evidence synthesis: effect sizes, pooled estimates, citation checks and contradictions, as pure functions.

Input: records as dictionaries, and the numbers in them. Output: effects, pooled estimates, sentences, and the reasons
why something cannot be computed. Packages: `statistics` (arithmetic without records), `calculator` (meta-analysis of
the numbers in a request body), `citations` (quotes and numbers against their sources), `gaps` (contradictions between
records). No web, no database, no clock: the same input always gives the same output.
"""
