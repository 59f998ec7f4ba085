"""The GraphQL protocols without input or output: graphql-ws, graphql-transport-ws, SSE and multipart.

See docs/graphql.md, "Transports".
"""
