from django.db import models


class Customer(models.Model):
    """A customer at InvoicesPlus, known by the id that InvoicesPlus gave it."""

    third_party_id = models.CharField(max_length=64, unique=True)
    email = models.EmailField(
        max_length=254, unique=True, null=True, blank=True, help_text="Lower case; null until InvoicesPlus has told us."
    )
    name = models.CharField(max_length=200, blank=True)

    def __str__(self) -> str:
        return self.email or self.third_party_id


class Invoice(models.Model):
    """An invoice at InvoicesPlus, known by the id that InvoicesPlus gave it."""

    third_party_id = models.CharField(max_length=64, unique=True)
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="invoices")
    number = models.CharField(max_length=64)
    amount = models.DecimalField(max_digits=12, decimal_places=2, help_text="Negative for a credit note.")
    currency = models.CharField(max_length=3)
    issued_on = models.DateField()

    def __str__(self) -> str:
        return f"{self.number}: {self.amount} {self.currency}"
