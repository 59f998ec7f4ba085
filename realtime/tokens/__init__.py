"""Access tokens (docs/access.md): made, found by the digest of their secret, revoked; when they were last used.

Sessions: a token for a cookie.
"""

from __future__ import annotations
