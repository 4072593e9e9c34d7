"""How the service is set up: its settings, and its clients' tokens."""

from collections.abc import Iterator
from datetime import timedelta

from django.conf import settings
from django.core import checks
from django.db.models import Max
from django.utils.timezone import now
from knox.models import AuthToken

from services.doctor.findings import Finding, duration, mind, ok, wrong

# What Django finds where one of these is so, each time in several ways.
_OF_HTTPS = {"security.W004", "security.W008", "security.W010", "security.W012", "security.W016"}
_OF_DEBUG = {"security.W009", "security.W018"}
_ADVICE = {
    "security.W009": "Set SECRET_KEY to what this prints: python -c 'import secrets; print(secrets.token_urlsafe(64))'",
}
_SOON = timedelta(days=14)
_MOST_CLIENTS = 20


def examine_settings() -> Iterator[Finding]:
    """See that nothing speaks against the settings, of a production too."""
    known: set[str] = set()
    if settings.DEBUG:
        known |= _OF_DEBUG
        yield mind(
            "DEBUG is on: whoever causes an error is shown code and settings.",
            "Set DEBUG=0 and a SECRET_KEY, unless this is your own machine.",
        )
    if not settings.HTTPS:
        known |= _OF_HTTPS
        yield mind(
            "HTTPS is off: tokens and reports travel in the clear.",
            "Set HTTPS=1, and BEHIND_PROXY=1 where a proxy ends TLS, unless this is your own machine.",
        )
    found = [
        message
        for message in checks.run_checks(include_deployment_checks=True)
        if message.level >= checks.WARNING and not message.is_silenced() and message.id not in known
    ]
    for message in found:
        judge = wrong if message.level >= checks.ERROR else mind
        advice = _ADVICE.get(message.id or "") or message.hint or f"Look {message.id} up in Django's documentation."
        yield judge(" ".join(str(message.msg).split()), advice)
    if not found and not known:
        yield ok("The settings are fit for production.")


def examine_variables() -> Iterator[Finding]:
    """See that no setting is given under a name that nobody reads."""
    for name, meant in settings.MISSPELT_VARIABLES.items():
        yield mind(f"The variable {name} is read by nobody.", f"Name it {meant} if that is meant.")


def examine_tokens() -> Iterator[Finding]:
    """See that no client is about to be locked out."""
    today = now()
    last = AuthToken.objects.filter(user__is_active=True).values("user__username").annotate(last=Max("expiry"))
    expiring = last.filter(last__gt=today, last__lte=today + _SOON).order_by("last")
    for client in expiring[:_MOST_CLIENTS]:
        name, left = client["user__username"], (client["last"] - today).total_seconds()
        yield mind(
            f"The last token of {name} expires in {duration(left)}.",
            f"Make a new one, and have the client use it: python manage.py rotate_token {name}",
        )
    if not expiring:
        yield ok("No client's last token expires soon.")
