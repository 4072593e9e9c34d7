"""What people who use the admin pages need, and clients of the API, who have tokens, do not pay for.

Each is a class of its own kind still, which Django's checks look for.
"""

from typing import Any

from django.contrib.auth import middleware as auth
from django.contrib.messages import middleware as messages
from django.contrib.sessions import middleware as sessions
from django.http import HttpRequest
from django.utils.deprecation import MiddlewareMixin

ADMIN = "/admin/"


class _ForPeople(MiddlewareMixin):
    def __call__(self, request: HttpRequest) -> Any:
        """Do what it does for a page of the admin, and nothing for anything else."""
        is_for_people = request.path_info.startswith(ADMIN)
        return super().__call__(request) if is_for_people else self.get_response(request)


class SessionMiddleware(_ForPeople, sessions.SessionMiddleware):
    pass


class AuthenticationMiddleware(_ForPeople, auth.AuthenticationMiddleware):
    pass


class MessageMiddleware(_ForPeople, messages.MessageMiddleware):
    pass
