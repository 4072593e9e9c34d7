"""What load balancers and orchestrators ask: by a status, without a token, and without a word on what is wrong.

That is in the log of the process that was asked, and ``manage.py doctor`` tells it. No part of the API, and so not in
its document: clients have no use for it.
"""

from typing import ClassVar

from django.http import HttpResponse
from rest_framework.request import Request

from api.pages import PublicPage
from api.problems import SERVICE_UNAVAILABLE, ProblemError
from api.rendering import respond
from services import health
from services.health import Verdict


class LivePage(PublicPage):
    def get(self, request: Request) -> HttpResponse:
        """Answer that this process answers. It asks nobody else: what is wrong with others, no restart heals."""
        del request
        return respond({"status": "ok"})


class VerdictPage(PublicPage):
    verdict: ClassVar[Verdict]

    def get(self, request: Request) -> HttpResponse:
        """Answer 200 where all is well, and 503 where it is not."""
        del request
        if self.verdict.faults():
            raise ProblemError(SERVICE_UNAVAILABLE, "The service is not ready.", headers={"Retry-After": "5"})
        return respond({"status": "ok"})


class ServingPage(VerdictPage):
    """Whether requests are accepted and answered here: the database is there, and migrated."""

    verdict = health.serving


class ReadyPage(VerdictPage):
    """Whether what is accepted runs soon, too: the broker is there as well, and recovery runs somewhere."""

    verdict = health.ready
