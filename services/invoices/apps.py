from urllib.parse import urlsplit

from django.apps import AppConfig
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

LONGEST_TIMEOUT = 600


class InvoicesConfig(AppConfig):
    name = "services.invoices"
    label = "invoices"
    verbose_name = "InvoicesPlus"

    def ready(self) -> None:
        """Stop the start, with one line, when InvoicesPlus could never be called with these settings."""
        if not _is_address(settings.INVOICES_PLUS_URL):
            raise ImproperlyConfigured("INVOICES_PLUS_URL is not an address. Use http://… or https://….")
        if not 0 < settings.INVOICES_PLUS_TIMEOUT <= LONGEST_TIMEOUT:
            raise ImproperlyConfigured(
                f"INVOICES_PLUS_TIMEOUT is not a number of seconds above 0 and up to {LONGEST_TIMEOUT}. Use 10, say."
            )


def _is_address(url: str) -> bool:
    try:
        address = urlsplit(url)
        return address.scheme in ("http", "https") and bool(address.hostname) and address.port != 0
    except ValueError:
        return False
