from typing import Any

from django.apps import AppConfig, apps
from django.conf import settings
from django.db.models.signals import post_migrate


class ApiConfig(AppConfig):
    name = "api"

    def ready(self) -> None:
        """Have ``migrate`` create the permissions of actions."""
        # Of the application with the model that they are of: none is sent for one without models.
        post_migrate.connect(_create_permissions, sender=apps.get_app_config("reports"))


def _create_permissions(*, using: str, apps: Any = apps, **_: Any) -> None:
    from api import catalogue, restrictions  # noqa: PLC0415  they need the models

    try:
        apps.get_model("auth", "Permission")
        apps.get_model("reports", "AsyncActionReport")
    except LookupError:  # migrated back to where there are none
        return
    catalogue.load(settings.ACTION_MODULES)
    restrictions.create_permissions(using)
