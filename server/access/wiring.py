"""Settings → the authenticator."""

from __future__ import annotations

from realtime.service import Service
from server.access.authenticator import Authenticator
from server.access.json_web_tokens import JsonWebTokens
from server.access.jwt_keys import BadKey
from server.access.key_sources import open_keys
from server.settings import Settings

__all__ = ["make_authenticator"]


def make_authenticator(settings: Settings, service: Service) -> Authenticator:
    """Return the authenticator for these settings, and for the access tokens of the service.

    Raises:
        BadKey: `--jwt-key` names no key.
    """
    key = settings.jwt_key.get_secret_value()
    verifier = None
    if key:
        try:
            source = open_keys(key)
        except BadKey as error:
            raise BadKey(f"--jwt-key: {error}") from error
        verifier = JsonWebTokens(source, settings.jwt_issuer, settings.jwt_audience, service.clock)
    # Access tokens alone close no server: otherwise the first one would lock out all clients of an open server.
    tokens, most = service.tokens, settings.max_failed_authentications
    bearer, fetch = (tokens.bearer, tokens.fetch) if settings.authenticates else (None, None)
    made = Authenticator(settings.secrets, verifier, bearer, fetch=fetch, max_failures=most)
    service.rates.add("failures", made.failures)
    return made
