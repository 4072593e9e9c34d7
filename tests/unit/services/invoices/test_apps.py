import pytest
from django.apps import apps
from django.core.exceptions import ImproperlyConfigured


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("INVOICES_PLUS_URL", ""),
        ("INVOICES_PLUS_URL", "invoices.example.com"),
        ("INVOICES_PLUS_URL", "ftp://invoices.example.com"),
        ("INVOICES_PLUS_URL", "http://"),
        ("INVOICES_PLUS_URL", "http://[::1"),
        ("INVOICES_PLUS_URL", "http://example.com:99999"),
        ("INVOICES_PLUS_TIMEOUT", 0),
        ("INVOICES_PLUS_TIMEOUT", float("nan")),
        ("INVOICES_PLUS_TIMEOUT", float("inf")),
    ],
)
def test_settings_that_cannot_work_stop_the_start_with_one_line(settings, name, value):
    setattr(settings, name, value)
    with pytest.raises(ImproperlyConfigured, match=rf"\A{name} is not .*\Z"):
        apps.get_app_config("invoices").ready()


@pytest.mark.parametrize("url", ["http://127.0.0.1:8001", "https://example.com/api/", "http://[::1]:8001"])
def test_settings_that_can_work(settings, url):
    settings.INVOICES_PLUS_URL = url
    apps.get_app_config("invoices").ready()
