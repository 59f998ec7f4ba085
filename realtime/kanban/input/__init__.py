"""Checks of input: typed fields, bounded lists, nesting and the order of ids."""
