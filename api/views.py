from typing import Any

from rest_framework.request import Request
from rest_framework.views import APIView

from api.observation import bind_client


class ThrottledView(APIView):
    """What every endpoint inherits: a request is counted before it is asked whether its client may make it.

    DRF asks for permissions first, and what it refuses by them could be asked for without end.
    """

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Do what comes before the method. Raises ProblemError and APIException."""
        self.perform_authentication(request)
        bind_client(request, getattr(self, "name", None))
        super().check_throttles(request)
        super().initial(request, *args, **kwargs)

    def check_throttles(self, request: Request) -> None:
        """Do nothing where DRF would: it is done."""
