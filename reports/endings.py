"""The ledger's word that an action has ended, for whoever wants to pass it on."""

from typing import Any
from uuid import UUID

from django.dispatch import Signal

# Sent with the ``root``, the ``action``'s name, its final ``status`` and the ``seconds`` that it has run, None where
# nobody knows; within the transaction that ends it, or right after: what is done about it belongs after its commit.
action_ended = Signal()


def tell_ended(root: UUID, *, action: str, status: str, seconds: Any = None) -> None:
    """Tell that the action has become final. Nothing that goes wrong with a receiver undoes an outcome."""
    action_ended.send_robust(
        sender=None, root=root, action=action, status=str(status), seconds=None if seconds is None else float(seconds)
    )
