"""What can go wrong with InvoicesPlus.

InvoicesPlusError
├─ InvoicesPlusUnavailableError          worth another try
│  └─ InvoicesPlusRateLimitedError
├─ InvoicesPlusAuthenticationError
├─ InvoicesPlusRequestError
├─ InvoicesPlusResponseError
│  └─ InvoicesPlusResponseTooLargeError
├─ CustomerNotFoundError
├─ CustomerExistsError
├─ InvoiceInvalidError
└─ InvoiceReferenceTakenError
"""

import inspect
from typing import ClassVar


class InvoicesPlusError(Exception):
    """Something went wrong with InvoicesPlus."""

    code: ClassVar[str] = "invoices_plus_error"
    retryable: ClassVar[bool] = False

    def __init__(self, message: str = "") -> None:
        super().__init__(message or inspect.getdoc(type(self)))


class InvoicesPlusUnavailableError(InvoicesPlusError):
    """InvoicesPlus cannot be reached, took too long, or has a fault of its own. The same call may succeed later."""

    code = "invoices_plus_unavailable"
    retryable = True

    retry_after: float | None
    """Seconds that InvoicesPlus asked to wait; None when it did not say."""

    def __init__(self, message: str = "", *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class InvoicesPlusRateLimitedError(InvoicesPlusUnavailableError):
    """InvoicesPlus takes no more calls for now: too many were made with this API key."""

    code = "invoices_plus_rate_limited"


class InvoicesPlusAuthenticationError(InvoicesPlusError):
    """InvoicesPlus does not accept this service's API key. Set INVOICES_PLUS_API_KEY to one with the rights for it."""

    code = "invoices_plus_authentication_failed"


class InvoicesPlusRequestError(InvoicesPlusError):
    """InvoicesPlus refused what it was asked. The same call is refused again until what it sends is changed."""

    code = "invoices_plus_request_refused"


class InvoicesPlusResponseError(InvoicesPlusError):
    """InvoicesPlus gave an answer that is not what its API promises."""

    code = "invoices_plus_response_invalid"


class InvoicesPlusResponseTooLargeError(InvoicesPlusResponseError):
    """InvoicesPlus gave more than this service takes in one go."""

    code = "invoices_plus_response_too_large"


class CustomerNotFoundError(InvoicesPlusError):
    """InvoicesPlus has no such customer."""

    code = "customer_not_found"


class CustomerExistsError(InvoicesPlusError):
    """InvoicesPlus has a customer with this email address already."""

    code = "customer_exists"


class InvoiceInvalidError(InvoicesPlusError):
    """The invoice cannot be written: its amount, currency or reference is not acceptable."""

    code = "invoice_invalid"


class InvoiceReferenceTakenError(InvoicesPlusError):
    """InvoicesPlus has an invoice with this reference already, and it says something else."""

    code = "invoice_reference_taken"
