"""The changes of a report as they happen: Server-Sent Events, as the WHATWG's HTML standard has them."""

from collections.abc import Generator, Iterator
from time import monotonic, sleep
from uuid import UUID

from django.conf import settings
from django.http import HttpResponse, StreamingHttpResponse
from rest_framework.request import Request

from api.bodies import is_final, report_body
from api.conditions import etag_of
from api.problems import SERVICE_UNAVAILABLE, ProblemError
from api.queries import read_query
from api.rendering import dump, respond_without_body
from api.reports import find_action_report, id_of
from api.schema import operations
from api.views import ThrottledView
from api.visibility import Reader
from reports import selectors
from reports.errors import TooManyWaitersError
from reports.selectors import Report
from services import waiters
from services.connections import lent

# Milliseconds after which a client whose connection was lost comes back.
_COMES_BACK_AFTER = 2000
# Seconds after which one comes back who found no place.
_NO_PLACE = 10
# Seconds between two events of a report that changes all the time.
_PACE = 0.25


@operations.watch_report
class ReportEventsApi(ThrottledView):
    """Hear of a report's changes."""

    http_method_names = ["get"]

    def get(self, request: Request, report_id: str) -> HttpResponse | StreamingHttpResponse:
        """Answer with an event for the report as it is now, and one for each change, until it is final."""
        read_query(request)
        reader = Reader.of(request.user)
        report = find_action_report(id_of(report_id), owner=reader.owner, which="has the events of the whole action")
        known = request.headers.get("Last-Event-ID", "")
        if is_final(report) and known == _id_of(report, reader):
            return respond_without_body(204)  # which tells a client to come back no more
        _take_place()
        return StreamingHttpResponse(
            EventStream(report.id, reader, known),
            content_type="text/event-stream",
            headers={"Cache-Control": "private, no-store", "X-Accel-Buffering": "no"},
        )


def _take_place() -> None:
    try:
        waiters.take_stream()
    except TooManyWaitersError as error:
        detail = "As many clients hear of changes as this process can serve; poll, or come back."
        raise ProblemError(SERVICE_UNAVAILABLE, detail, headers={"Retry-After": str(_NO_PLACE)}) from error


class EventStream:
    """What goes over the wire, as long as its place lasts, which ``close`` leaves."""

    def __init__(self, report_id: UUID, reader: Reader, known: str) -> None:
        self._report_id = report_id
        self._reader = reader
        self._known = known
        self._version = ""
        self._chunks = self._write()
        self._is_open = True

    def __iter__(self) -> Iterator[bytes]:
        return self._chunks

    def close(self) -> None:
        """Leave the place. The server calls this however the stream ends, also when it was never begun."""
        if self._is_open:
            self._is_open = False
            self._chunks.close()
            waiters.leave_stream()

    def _write(self) -> Generator[bytes]:
        ends_at = monotonic() + settings.EVENTS_MAX_SECONDS
        yield b"retry: %d\n\n" % _COMES_BACK_AFTER
        with waiters.watching(self._report_id, self._is_news) as watch:
            while True:
                watch.again()
                report = self._read()
                if report is None:
                    return
                if _id_of(report, self._reader) != self._known:
                    yield self._event(report)
                if is_final(report) or watch.has_ended:
                    return
                sleep(_PACE)
                while not watch.wait(max(0.0, min(settings.EVENTS_HEARTBEAT, ends_at - monotonic()))):
                    yield b": still here\n\n"
                    if monotonic() >= ends_at:
                        return
                if monotonic() >= ends_at:
                    return

    def _read(self) -> Report | None:
        with lent():
            report = selectors.find(self._report_id, owner=self._reader.owner)
        if report:
            self._version = report.version
        return report

    def _event(self, report: Report) -> bytes:
        self._known = _id_of(report, self._reader)
        return b"id: %b\ndata: %b\n\n" % (self._known.encode(), dump(report_body(report, self._reader)))

    def _is_news(self, report: Report) -> bool:
        return report.version != self._version


def _id_of(report: Report, reader: Reader) -> str:
    """Return the id of the event: another process knows as well what a client has that comes back with it."""
    return etag_of(report, reader).strip('"')
