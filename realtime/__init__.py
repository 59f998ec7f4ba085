"""The facts, their order and their delivery: everything that knows neither a transport nor GraphQL.

See docs/architecture.md.
"""
