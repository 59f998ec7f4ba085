"""GraphQL types, enumerations, scalars and inputs.

See docs/graphql.md.
"""
