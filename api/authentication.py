from typing import Any

from django.utils import timezone
from knox.auth import TokenAuthentication
from knox.crypto import hash_token
from knox.models import AuthToken
from rest_framework.exceptions import AuthenticationFailed


class BearerAuthentication(TokenAuthentication):  # type: ignore[misc]  # Knox has no types
    """``Authorization: Bearer <token>``, where the database knows nothing but the token's hash.

    Looks a token up by that hash, in one query. Knox's own way also reads all other tokens of the client, to delete
    expired ones.
    """

    def authenticate_credentials(self, token: bytes) -> tuple[Any, AuthToken]:
        """Return the client and its token. Raises AuthenticationFailed."""
        try:
            digest = hash_token(token.decode("ascii"))
        except UnicodeDecodeError:
            raise AuthenticationFailed from None
        known = AuthToken.objects.select_related("user").filter(digest=digest).first()
        if known is None or (known.expiry and known.expiry <= timezone.now()) or not known.user.is_active:
            raise AuthenticationFailed
        return known.user, known

    def authenticate_header(self, request: Any) -> str:  # noqa: ARG002  Knox's signature
        """Return the scheme, which Knox compares with the header's."""
        return "Bearer"
