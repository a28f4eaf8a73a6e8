"""Arguments of a call against the approved `inputSchema` of its tool: what is compiled, what it may cost, what fits.

A schema is a backend's text, and arguments are a caller's. So neither is given to the library as it is: `graph` reads
the schema into nodes that are all understood, `document` writes them again, `cost` says what a check of given arguments
costs before it is made, and `schema` puts them together (ADR 0023).
"""
