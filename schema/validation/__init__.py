"""Checks of a document before it is executed: its size, its lists and its cost.

See docs/graphql.md, "Limits of a document".
"""
