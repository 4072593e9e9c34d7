"""The ledger's word that an action has ended, for whoever wants to pass it on."""

from uuid import UUID

from django.dispatch import Signal

# Sent with the action's ``root``, inside the transaction that ends it: what is done about it belongs after its commit.
action_ended = Signal()


def tell_ended(root: UUID) -> None:
    """Tell that the action has become final. Nothing that goes wrong with a receiver undoes an outcome."""
    action_ended.send_robust(sender=None, root=root)
