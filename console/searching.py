"""What an operator searches reports for, from the query of a request."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError

from console import catalogue
from console.rights import Sensitive, may_read
from reports.models import Status
from reports.search import Search

_YEARS = range(1970, 9000)


class SearchForm(forms.Form):
    """The search, and where in what it finds. What it does not know is ignored; what is wrong finds nothing.

    ``text`` is an id, a parameter as ``name:value``, or an idempotency key.
    """

    text = forms.CharField(required=False, max_length=300)
    status = forms.MultipleChoiceField(required=False, choices=Status.choices)
    action = forms.CharField(required=False, max_length=100)
    client = forms.CharField(required=False, max_length=150)
    code = forms.CharField(required=False, max_length=100)
    since = forms.DateTimeField(required=False)
    until = forms.DateTimeField(required=False)
    after = forms.UUIDField(required=False)

    def __init__(self, query: Any, *, person: Any) -> None:
        super().__init__(query)
        self._person = person

    @property
    def id(self) -> UUID | None:
        """The id that is searched for, of an action or of a task; ``None`` where it is something else."""
        text = self.cleaned_data.get("text", "")
        try:
            return UUID(text)
        except ValueError:
            return None

    @property
    def search(self) -> Search:
        """What is searched for, where the form is valid."""
        found = self.cleaned_data
        return Search(
            owner=found["client"],
            action=found["action"] or None,
            statuses=tuple(map(Status, found["status"])),
            filters=found["filters"],
            idempotency_key=found["key"],
            error_code=found["code"] or None,
            created_after=found["since"],
            created_before=found["until"],
        )

    def clean_client(self) -> int | None:
        """Return the id of the client of that name."""
        name = self.cleaned_data["client"]
        if not name:
            return None
        users = get_user_model()
        found = users._default_manager.filter(**{users.USERNAME_FIELD: name}).values_list("pk", flat=True).first()  # noqa: SLF001
        if found is None:
            raise ValidationError(f"There is no client {name}.")
        return int(found)

    def clean_since(self) -> Any:
        """Return the moment before which nothing is searched for."""
        return _reasonable(self.cleaned_data["since"])

    def clean_until(self) -> Any:
        """Return the moment from which on nothing is searched for."""
        return _reasonable(self.cleaned_data["until"])

    def clean(self) -> dict[str, Any]:
        """Tell a parameter from a key: a parameter is one that the action, or any, can be found by."""
        text = self.cleaned_data.get("text", "")
        name, colon, value = text.partition(":")
        filterable = catalogue.filterable(self.cleaned_data.get("action") or None)
        is_parameter = bool(colon) and name in filterable
        self.cleaned_data["filters"] = {name: self._value(filterable[name], value)} if is_parameter else {}
        self.cleaned_data["key"] = text if text and not is_parameter else None
        return self.cleaned_data

    def _value(self, read: Any, text: str) -> Any:
        if not may_read(self._person, Sensitive.PAYLOADS):
            raise ValidationError("To search by parameters is for those who may read them.")
        try:
            return read(text.strip())
        except ValueError as error:
            raise ValidationError(f"No report has this parameter: {error}") from error


def _reasonable(moment: Any) -> Any:
    if moment is not None and moment.year not in _YEARS:
        raise ValidationError(f"Use a year from {_YEARS.start} to {_YEARS.stop - 1}.")
    return moment
