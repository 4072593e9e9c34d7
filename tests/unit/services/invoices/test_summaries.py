from services.invoices.summaries import summarise


def test_adds_up_customers():
    each = [
        {"stored": 20, "totals": {"EUR": "10.10", "USD": "1.00"}},
        {"stored": 0, "totals": {}},
        {"stored": 1, "totals": {"EUR": "-0.20"}},
    ]
    assert summarise(each) == {"customers": 3, "stored": 21, "totals": {"EUR": "9.90", "USD": "1.00"}}


def test_nobody_adds_up_to_nothing():
    assert summarise([]) == {"customers": 0, "stored": 0, "totals": {}}
