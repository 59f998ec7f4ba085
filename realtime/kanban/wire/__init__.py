"""A board on the wire: JSON forms, canonical form, differences and patches. Pure."""
