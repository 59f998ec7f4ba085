"""GraphQL types of what a subscription delivers, and the mapping from envelopes to them.

See docs/graphql.md, "Subscriptions".
"""
