from tests.integration.api.conftest import _no_known_tokens, ada, client_of, ledger, staff, stranger

__all__ = ["_no_known_tokens", "ada", "client_of", "ledger", "staff", "stranger"]
