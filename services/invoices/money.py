import re
from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal

_AMOUNT = re.compile(r"-?\d{1,10}(\.\d{1,2})?", re.ASCII)
_CURRENCY = re.compile(r"[A-Z]{3}", re.ASCII)


def amount_from(text: object) -> Decimal:
    """Read an amount: a string such as "12", "12.5" or "-12.50", at most ten digits before the point.

    Floats are refused: they cannot hold money. Raises ValueError.
    """
    if not isinstance(text, str) or not _AMOUNT.fullmatch(text):
        raise ValueError('the amount is not one such as "12.50"')
    return Decimal(text).quantize(Decimal("0.01")) + 0  # the sum turns -0.00 into 0.00


def currency_from(text: object) -> str:
    """Read a currency: three capital letters. Raises ValueError."""
    if not isinstance(text, str) or not _CURRENCY.fullmatch(text):
        raise ValueError('the currency is not one such as "EUR"')
    return text


def totals_of(amounts: Iterable[tuple[str, Decimal]]) -> dict[str, str]:
    """Add up (currency, amount) pairs: {"EUR": "12.50", …}, in alphabetical order."""
    totals: defaultdict[str, Decimal] = defaultdict(Decimal)
    for currency, amount in amounts:
        totals[currency] += amount
    return {currency: str(total) for currency, total in sorted(totals.items())}
