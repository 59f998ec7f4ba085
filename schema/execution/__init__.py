"""Execution of operations: context, loaders, deadlines, and work that subscriptions share.

See docs/graphql.md, "Deadlines".
"""
