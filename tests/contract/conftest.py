from tests.integration.api.conftest import ada, client_of, ledger, staff, stranger

__all__ = ["ada", "client_of", "ledger", "staff", "stranger"]
