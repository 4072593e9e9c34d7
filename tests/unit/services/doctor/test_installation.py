from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from knox.models import AuthToken

from services.doctor import installation


@pytest.fixture
def give_token(db):
    def give_token(name, days, *, active=True):
        user, _ = get_user_model().objects.get_or_create(username=name, defaults={"is_active": active})
        AuthToken.objects.create(user, expiry=timedelta(days=days) if days else None)

    return give_token


def test_settings_of_a_production(told, settings):
    settings.HTTPS = settings.SECURE_SSL_REDIRECT = settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True
    settings.SECURE_HSTS_SECONDS = 3600
    assert told(installation.examine_settings()) == [("ok", "The settings are fit for production.")]


def test_settings_of_ones_own_machine(told, settings):
    settings.DEBUG = True
    settings.SECRET_KEY = "development-only"
    assert told(installation.examine_settings()) == [
        ("mind", "DEBUG is on: whoever causes an error is shown code and settings."),
        ("mind", "HTTPS is off: tokens and reports travel in the clear."),
    ]


def test_a_key_that_can_be_guessed(settings):
    settings.SECRET_KEY = "guess"
    *_, finding = installation.examine_settings()
    assert finding.verdict == "mind"
    assert finding.what.startswith("Your SECRET_KEY has less than 50 characters")
    assert "guess" not in finding.what.split()
    assert finding.advice.startswith("Set SECRET_KEY to what this prints: ")


def test_what_django_has_against_the_settings(told, settings):
    settings.ALLOWED_HOSTS = []
    assert ("mind", "ALLOWED_HOSTS must not be empty in deployment.") in told(installation.examine_settings())


def test_what_django_calls_an_error(told, settings):
    settings.LANGUAGES = [("xx nowhere", "Nowhere")]
    assert "wrong" in [verdict for verdict, _ in told(installation.examine_settings())]


def test_a_variable_that_is_named_almost_like_a_setting(told, settings):
    assert told(installation.examine_variables()) == []
    settings.MISSPELT_VARIABLES = {"RECOVERY_LEASES": "RECOVERY_LEASE"}
    assert told(installation.examine_variables()) == [("mind", "The variable RECOVERY_LEASES is read by nobody.")]


# Tokens


def test_tokens_that_are_valid_for_long(told, give_token):
    give_token("billing", 15)
    give_token("for-ever", None)
    assert told(installation.examine_tokens()) == [("ok", "No client's last token expires soon.")]


def test_a_last_token_that_expires_soon(told, give_token):
    give_token("rotated", 3)
    give_token("rotated", 300)
    give_token("left", 3, active=False)
    give_token("billing", 2)
    give_token("billing", 13)
    give_token("shop", 3)
    assert told(installation.examine_tokens()) == [
        ("mind", "The last token of shop expires in 3 d."),
        ("mind", "The last token of billing expires in 13 d."),
    ]
