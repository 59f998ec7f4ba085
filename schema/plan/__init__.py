"""Subscriptions whose selection is followed once, when they begin, and not again for each event.

`compiling` makes a plan of an operation: closures that read our objects into plain values, which one call encodes.
Cards are encoded once in their life for each selection (`memory`), so that a state after one changed card costs one
card. A plan knows the way on which nothing is wrong and nothing is waited for. Everything else, each error entry
among it, is left to graphql-core: per operation where that shows when it begins, per event where it does not. What
fields are read off are values that do not change, so asking them again by that way gives the same.

See docs/graphql.md, "Subscriptions".
"""
