"""The GraphQL schema over the streams and commands of `realtime`; knows no transport.

See docs/graphql.md.
"""
