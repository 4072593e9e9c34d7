from django.apps import AppConfig


class InvoicesConfig(AppConfig):
    name = "services.invoices"
    label = "invoices"
    verbose_name = "InvoicesPlus"
