"""The shapes of what `/api/auth` takes."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from common.parsing import TextField


class CredentialsSerializer(serializers.Serializer[Any]):
    """A username and a password."""

    username = TextField()
    password = TextField(trim_whitespace=False)
