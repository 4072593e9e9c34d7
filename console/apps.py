from django.apps import AppConfig
from django.contrib.admin import apps as admin


class ConsoleConfig(AppConfig):
    name = "console"
    default = True


class SiteConfig(admin.AdminConfig):
    """Django's admin, with this package's site as the one that models are registered with."""

    default = False
    default_site = "console.site.OperatorsSite"
