"""Execution of operations: context, loaders, deadlines, and subscriptions that share their work.

See docs/graphql.md, "Deadlines".
"""
