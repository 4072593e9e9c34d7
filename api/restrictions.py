"""Actions that only some clients may ask for: those with the permission that stands for the action.

Each action has one, granted to a client or to a group of clients, whether the action is restricted (yet) or not.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ImproperlyConfigured
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from api import catalogue
from reports.models import AsyncActionReport

if TYPE_CHECKING:
    from api.actions import ActionApi

_ALL = "*"


class MayRequest(BasePermission):
    """Lets everybody ask for an action that is not restricted, and those with its permission for one that is."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """Tell whether the client may ask for the action."""
        codename = codename_of(view.name)
        self.message = f"{view.name} is restricted. The operator grants the permission {codename}."
        return not is_restricted(type(view)) or request.user.has_perm(f"{AsyncActionReport._meta.app_label}.{codename}")  # noqa: SLF001  Django's documented API


def is_restricted(action: "type[ActionApi]") -> bool:
    """Tell whether an action is restricted, by its class or by the operator."""
    restricted: list[str] = settings.RESTRICTED_ACTIONS
    return action.restricted or action.name in restricted or _ALL in restricted


def codename_of(name: str) -> str:
    """Return the name of the permission that stands for an action."""
    return f"request_{name.replace('-', '_')}"


def check(names: Iterable[str]) -> None:
    """Raise ImproperlyConfigured where one of the restricted actions is none."""
    for name in names:
        if name != _ALL and catalogue.find(name) is None:
            known = ", ".join(action.name for action in catalogue.actions())
            raise ImproperlyConfigured(
                f"RESTRICTED_ACTIONS names {name}, and there is no such action. There are {known}; * is all of them."
            )


def create_permissions(using: str) -> None:
    """Create the permission of each action that has none yet. Those of actions that are gone stay, and who has them."""
    content_type = ContentType.objects.db_manager(using).get_for_model(AsyncActionReport)
    Permission.objects.using(using).bulk_create(
        [
            Permission(content_type=content_type, codename=codename_of(action.name), name=f"Can request {action.name}")
            for action in catalogue.actions()
        ],
        ignore_conflicts=True,
    )
