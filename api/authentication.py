from copy import copy
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.backends import ModelBackend
from django.core.exceptions import PermissionDenied
from django.utils import timezone
from knox.crypto import hash_token
from knox.models import AuthToken
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed

from api.addresses import count_wrong_guess, refuse_guessing, wrong_passwords, wrong_tokens
from api.known_tokens import known_tokens
from api.problems import ProblemError


class BearerAuthentication(BaseAuthentication):
    """``Authorization: Bearer <token>`` (RFC 6750), where the database knows nothing but the token's hash.

    Looks a token up by that hash, in one query, and its client's permissions in two; and none of it again for
    ``TOKEN_CACHE_SECONDS``. Knox's own way also reads all other tokens of the client, to delete expired ones.
    """

    def authenticate(self, request: Any) -> tuple[Any, AuthToken] | None:
        """Return the client and its token, ``None`` without one. Raises AuthenticationFailed and ProblemError."""
        scheme, _, text = get_authorization_header(request).partition(b" ")
        if scheme.lower() != b"bearer":
            return None
        token = self._valid_token(text.strip(), request)
        # Each request has its own, so that what is done to it does not stay.
        return copy(token.user), token

    def authenticate_header(self, request: Any) -> str:  # noqa: ARG002  DRF's signature
        """Return the scheme: with one, DRF answers 401, not 403."""
        return "Bearer"

    def _valid_token(self, text: bytes, request: Any) -> AuthToken:
        if not text.isascii():
            raise AuthenticationFailed
        digest = hash_token(text.decode())
        known = known_tokens.find(digest)
        token = known.token if known and known.is_fresh else _look_up(digest)
        if token is None:
            if known is None:  # one that is known was revoked, and is no guess
                # Looked up for all that: who has a token goes on, whoever guesses beside it.
                refuse_guessing(wrong_tokens(), request)
                count_wrong_guess(wrong_tokens(), request)
            raise AuthenticationFailed
        if not token.user.is_active or (token.expiry and token.expiry <= timezone.now()):
            raise AuthenticationFailed
        return token


class PersonBackend(ModelBackend):
    """Names and passwords of the people who use the admin pages, with a limit on how often they may be wrong."""

    def authenticate(self, request: Any, *args: Any, **credentials: Any) -> Any:
        """Return the person. Raises PermissionDenied from where too many were wrong lately."""
        if request is not None:
            try:
                refuse_guessing(wrong_passwords(), request)
            except ProblemError as refusal:
                raise PermissionDenied from refusal
        person = super().authenticate(request, *args, **credentials)
        if person is None and request is not None:
            count_wrong_guess(wrong_passwords(), request)
        return person


def is_gone(client: Any) -> bool:
    """Tell whether a client was deleted, since its token was looked up."""
    return not get_user_model().objects.filter(pk=client.pk).exists()


def _look_up(digest: str) -> AuthToken | None:
    token = AuthToken.objects.select_related("user").filter(digest=digest).first()
    if token is None:
        return None
    token.user.get_all_permissions()  # the user keeps them
    return known_tokens.remember(token).token
