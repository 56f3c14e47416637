"""A small OIDC issuer: keys of its own, and an HTTP server on 127.0.0.1 that shows them and counts who asks."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from jwt.algorithms import RSAAlgorithm
from jwt.utils import base64url_encode

AUDIENCE = "satchel-of-tests"
DISCOVERY, JWKS = "/.well-known/openid-configuration", "/keys"
OTHER_HASH = "with-another-hash"
"""The ID of a key that it shows too, for tokens that are not for us."""

Signer = Callable[[bytes], bytes]
"""From what is signed to its signature."""


class Issuer:
    """An issuer; `asked` counts the requests by path, `broken` makes it answer 500, `document` adds to discovery.

    With `says` it answers these bytes, whatever it is asked.
    """

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.broken = False
        self.document: dict[str, object] = {}
        self.says: bytes | None = None
        self.number = 1
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())

    @property
    def url(self) -> str:
        """What its tokens have as `iss`."""
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def kid(self) -> str:
        """The ID of the key that it signs with now."""
        return f"key-{self.number}"

    def rotate(self) -> None:
        """Sign with another key, and show that one alone."""
        self.number += 1

    def token(self, *, header: dict[str, object] | None = None, sign: Signer | None = None, **claims: object) -> str:
        """A token as it signs them, or with another header, signature or claims; what is None is left out.

        Put together by hand (RFC 7515, section 3.1): PyJWT would not make most of those that must be refused.
        """
        now = int(time.time())
        good_claims = {"iss": self.url, "aud": AUDIENCE, "sub": "ada", "iat": now, "exp": now + 300}
        good_header = {"alg": "RS256", "typ": "JWT", "kid": self.kid}
        text = b".".join(map(_part, ({**good_header, **(header or {})}, {**good_claims, **claims})))
        return (text + b"." + base64url_encode((sign or signer(key_of(self.number)))(text))).decode()

    def public_pem(self) -> bytes:
        """The public key that it shows now."""
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        return key_of(self.number).public_key().public_bytes(serialization.Encoding.PEM, form)

    def answer(self, path: str) -> dict[str, Any]:
        """The document at a path."""
        if path == DISCOVERY:
            return {"issuer": self.url, "jwks_uri": self.url + JWKS, **self.document}
        jwk = RSAAlgorithm.to_jwk(key_of(self.number).public_key(), as_dict=True)
        good = {**jwk, "kid": self.kid, "use": "sig", "alg": "RS256"}
        return {"keys": [good, {**good, "kid": OTHER_HASH, "alg": "RS512"}]}

    def stop(self) -> None:
        """Be down: who asks is refused by the system."""
        self._server.shutdown()
        self._server.server_close()

    def serve(self) -> None:
        """Answer until it is stopped."""
        self._server.serve_forever(poll_interval=0.02)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                issuer.asked[self.path] += 1
                body = json.dumps(issuer.answer(self.path)).encode() if issuer.says is None else issuer.says
                self.send_response(500 if issuer.broken else 200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        return Handler


@contextmanager
def running_issuer() -> Iterator[Issuer]:
    """An issuer that answers, at a port of its own."""
    issuer = Issuer()
    thread = threading.Thread(target=issuer.serve, name="issuer")
    thread.start()
    try:
        yield issuer
    finally:
        issuer.stop()
        thread.join()


def signer(key: rsa.RSAPrivateKey) -> Signer:
    """Signs as RS256 does."""
    return lambda text: key.sign(text, padding.PKCS1v15(), hashes.SHA256())


def _part(content: dict[str, object]) -> bytes:
    return base64url_encode(json.dumps({name: value for name, value in content.items() if value is not None}).encode())


@cache
def key_of(number: int) -> rsa.RSAPrivateKey:
    """The `number`-th key; making one takes a while, so all issuers share them."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)
