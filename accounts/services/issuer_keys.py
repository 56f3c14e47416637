"""The public keys of an OIDC issuer, fetched when they are needed and kept in the process."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from functools import cache

import structlog
from jwt import PyJWK, PyJWKClient
from jwt.exceptions import PyJWTError

from accounts.errors import IssuerUnavailableError

TIMEOUT = 3.0
"""Seconds that the issuer may take to connect, and to go on sending."""

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class IssuerKeys:
    """The keys that an issuer signs with, by their `kid` (RFC 7517); safe from threads.

    PyJWT fetches and reads them. Its own cache is not used: it forgets its keys while the issuer is down, asks a
    silent issuer again for each token, and lets everybody wait while it asks.

    All times are in seconds. The issuer is asked at most once in `pause`, whatever tokens come; keys are fetched
    anew once they are older than `fresh`, and used up to an age of `kept` if that fails.
    """

    issuer: str
    jwks_url: str = ""
    pause: float = 10.0
    fresh: float = 300.0
    kept: float = 3600.0
    _keys: dict[str, PyJWK] = field(default_factory=dict)
    _fetched_at: float | None = None
    _tried_at: float | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def find(self, kid: str) -> PyJWK | None:
        """The key of that ID, of whatever algorithm, None where the issuer has none.

        Raises `IssuerUnavailableError` where that cannot be told, because the issuer does not answer as it should.
        """
        if kid not in self._keys or self._age() > self.fresh:
            self._fetch_unless_lately(wait=kid not in self._keys or self._age() > self.kept)
        failed = self._tried_at != self._fetched_at
        if failed and (kid not in self._keys or self._age() > self.kept):
            text = "The issuer of the token does not answer, so the token cannot be checked right now."
            raise IssuerUnavailableError(text, retry_after=max(1, round(self.pause)))
        return self._keys.get(kid)

    def _age(self) -> float:
        return float("inf") if self._fetched_at is None else time.monotonic() - self._fetched_at

    def _fetch_unless_lately(self, *, wait: bool) -> None:
        """Fetch the keys, or wait for who does; not at all where that has been tried within `pause`."""
        if not self._lock.acquire(blocking=wait):
            return
        try:
            if self._tried_at is None or time.monotonic() - self._tried_at >= self.pause:
                self._fetch()
        finally:
            self._lock.release()

    def _fetch(self) -> None:
        try:
            keys = _client(self._address_of_keys()).get_signing_keys()
        except (OSError, ValueError, RecursionError, PyJWTError) as error:
            # Not told to who called: an address inside may be in it.
            log.warning("oidc_issuer_unavailable", issuer=self.issuer, reason=str(error))
            self._tried_at = time.monotonic()
        else:
            self._keys = {str(key.key_id): key for key in keys}
            self._tried_at = self._fetched_at = time.monotonic()

    def _address_of_keys(self) -> str:
        """As it is set, or as the issuer says it (OpenID Connect Discovery 1.0, section 4)."""
        if self.jwks_url:
            return self.jwks_url
        found = _client(self.issuer.rstrip("/") + "/.well-known/openid-configuration").fetch_data()
        if found.get("issuer") != self.issuer:
            raise ValueError(f"the issuer calls itself {found.get('issuer')!r}")
        return str(found.get("jwks_uri"))


@cache
def keys_of(issuer: str, jwks_url: str) -> IssuerKeys:
    """The keys that this process holds of an issuer."""
    return IssuerKeys(issuer, jwks_url)


def _client(url: str) -> PyJWKClient:
    """What fetches a JSON object, keys or not, from http and https alone, and follows no redirections."""
    return PyJWKClient(url, cache_jwk_set=False, timeout=TIMEOUT)
