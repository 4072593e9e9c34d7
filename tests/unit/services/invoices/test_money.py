from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.invoices.money import amount_from, currency_from, totals_of

amounts = st.decimals(min_value=Decimal(-(10**10)) + 1, max_value=Decimal(10**10) - 1, places=2)


@given(amounts)
def test_an_amount_survives_being_written_and_read(amount):
    assert str(amount_from(str(amount))) == f"{amount + 0:.2f}"
    assert amount_from(str(amount_from(str(amount)))) == amount


@given(st.text() | st.floats() | st.integers() | st.none() | st.booleans() | st.binary())
def test_anything_is_an_amount_in_its_one_form_or_refused(value):
    try:
        amount = amount_from(value)
    except ValueError as error:
        assert "amount" in str(error)  # noqa: PT017  both ends are fine
    else:
        assert isinstance(value, str)
        assert Decimal(value) == amount
        assert amount.as_tuple().exponent == -2


@pytest.mark.parametrize(("text", "amount"), [("12", "12.00"), ("12.5", "12.50"), ("-0", "0.00"), ("007", "7.00")])
def test_amounts_have_one_form(text, amount):
    assert str(amount_from(text)) == amount


@pytest.mark.parametrize(
    "text", ["", "1.234", "12345678901", "1e3", "NaN", "Infinity", "1,5", " 1", "1\n", "+1", ".5", "1.", "١٢", "--1"]
)
def test_what_is_no_amount(text):
    with pytest.raises(ValueError, match="amount"):
        amount_from(text)


@pytest.mark.parametrize("text", ["eur", "EURO", "EU", "", "€€€", "ÄÖÜ", "EUR\n", None, 978])
def test_what_is_no_currency(text):
    with pytest.raises(ValueError, match="currency"):
        currency_from(text)


@given(st.lists(st.tuples(st.sampled_from(["EUR", "USD", "CHF"]), amounts)))
def test_totals_are_exact_and_apart_for_each_currency(pairs):
    totals = totals_of(pairs)
    assert list(totals) == sorted({currency for currency, _ in pairs})
    for currency, total in totals.items():
        cents = sum(int(amount * 100) for other, amount in pairs if other == currency)
        assert int(Decimal(total) * 100) == cents
        assert "E" not in total
