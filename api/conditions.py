"""Conditional requests (RFC 9110, section 13): a client that has a report's newest version does not get it again."""

from dataclasses import fields

from django.conf import settings
from django.utils.http import parse_etags
from rest_framework.request import Request

from api.headers import header
from api.visibility import Reader
from reports.selectors import Report


def etag_of(report: Report, reader: Reader) -> str:
    """Return the strong validator of a report's body: of the version, of what the reader may see, and of the API."""
    rights = [reader.owns(report), *(getattr(reader, right.name) for right in fields(reader) if right.name != "id")]
    seen = "".join(str(int(right)) for right in rights)
    return f'"{report.version}.{seen}.{settings.SPECTACULAR_SETTINGS["VERSION"]}"'


def has_etags(request: Request) -> bool:
    """Tell whether the client asks for what it does not have yet."""
    return header(request, "If-None-Match") is not None


def has_newest(request: Request, etag: str) -> bool:
    """Tell whether the client has this version, by ``If-None-Match``: ``*``, or a list compared weakly."""
    known = parse_etags(header(request, "If-None-Match") or "")
    return known == ["*"] or etag in (one.removeprefix("W/") for one in known)
