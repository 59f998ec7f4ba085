"""GraphQL over HTTP, SSE, multipart and WebSocket.

See docs/graphql.md, "Transports".
"""
