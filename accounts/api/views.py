"""`POST /api/auth/token`."""

from __future__ import annotations

from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import services
from accounts.api import schema
from accounts.api.serializers import CredentialsSerializer
from common.addresses import address_of
from common.parsing import parse_object
from common.schema import described


class TokenView(APIView):
    """Username and password for a token."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    @described(schema.LOG_IN)
    def post(self, request: Request) -> Response:
        """`{"username","password"}` → `{"access","expiresIn"}`, the latter in seconds."""
        credentials = parse_object(CredentialsSerializer, request.data)
        user = services.log_in(
            username=credentials["username"], password=credentials["password"], address=address_of(request)
        )
        token = services.issue_token(user)
        body = {"access": token.access, "expiresIn": token.expires_in}
        return Response(body, headers={"Cache-Control": "no-store"})
