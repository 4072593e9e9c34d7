from django.apps import AppConfig
from django.conf import settings

from api import catalogue


class ApiConfig(AppConfig):
    name = "api"

    def ready(self) -> None:
        """Import the actions, so that what is wrong with one stops the start and not its first request."""
        catalogue.load(settings.ACTION_MODULES)
