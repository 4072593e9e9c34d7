"""What the operators' pages look like: django-unfold's settings."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy


def _permitted(permission: str) -> Callable[[HttpRequest], bool]:
    return lambda request: request.user.has_perm(permission)


def _entry(title: str, icon: str, page: str, permission: str) -> dict[str, Any]:
    return {
        "title": title,
        "icon": icon,
        "link": reverse_lazy(f"admin:{page}"),
        "permission": _permitted(permission),
    }


def _ours(path: str) -> Callable[[HttpRequest], str]:
    return lambda _: static(f"console/{path}")


UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Async Actions",
    "SITE_HEADER": "Async Actions",
    "SITE_SUBHEADER": "For operators",
    "SITE_SYMBOL": "account_tree",
    "SHOW_VIEW_ON_SITE": False,
    "BORDER_RADIUS": "6px",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": _ours("favicon.svg")}],
    "STYLES": [_ours("console.css")],
    "COLORS": {
        "primary": {
            "50": "oklch(96.2% .018 272.314)",
            "100": "oklch(93% .034 272.788)",
            "200": "oklch(87% .065 274.039)",
            "300": "oklch(78.5% .115 274.713)",
            "400": "oklch(67.3% .182 276.935)",
            "500": "oklch(58.5% .233 277.117)",
            "600": "oklch(51.1% .262 276.966)",
            "700": "oklch(45.7% .24 277.023)",
            "800": "oklch(39.8% .195 277.366)",
            "900": "oklch(35.9% .144 278.697)",
            "950": "oklch(25.7% .09 281.288)",
        },
    },
    "SIDEBAR": {
        "navigation": [
            {
                "items": [
                    _entry("Dashboard", "monitoring", "index", "reports.view_asyncactionreport"),
                    _entry(
                        "Reports",
                        "receipt_long",
                        "reports_asyncactionreport_changelist",
                        "reports.view_asyncactionreport",
                    ),
                    _entry("Journal", "history", "reports_intervention_changelist", "reports.view_intervention"),
                ],
            },
            {
                "title": "Access",
                "separator": True,
                "items": [
                    _entry("Clients and people", "person", "auth_user_changelist", "auth.view_user"),
                    _entry("Groups", "group", "auth_group_changelist", "auth.view_group"),
                    _entry("Tokens", "key", "knox_authtoken_changelist", "knox.view_authtoken"),
                ],
            },
        ],
    },
}
