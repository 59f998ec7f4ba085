"""A board on the wire: JSON forms, canonical form, differences and patches. Pure.

See docs/protocol.md, "State" and "Deliveries".
"""
