from typing import Any

from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate


class ReportsConfig(AppConfig):
    name = "reports"
    verbose_name = "Reports"

    def ready(self) -> None:
        """Have ``migrate`` create the groups of those who use the admin pages, once it has created permissions."""
        post_migrate.connect(_create_groups, sender=self)


def _create_groups(*, using: str, apps: Any = apps, **_: Any) -> None:
    from reports import roles  # noqa: PLC0415  it needs the models

    try:
        apps.get_model("auth", "Group")
        apps.get_model("reports", "AsyncActionReport")
    except LookupError:  # migrated back to where there are none
        return
    roles.create_groups(using)
