"""Identity: tokens → callers with grants (docs/access.md)."""
