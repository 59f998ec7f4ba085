"""Checks of input: typed fields, bounded lists, nesting and the order of ids.

See docs/ingest.md, "Limits".
"""
