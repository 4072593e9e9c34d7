"""A worker that stands still: imported with ``STANDS_AFTER`` in the environment, until it is killed.

Each of its processes does so once it has acted on so many reports for an operation, and has committed that.
"""

import os
import time
from typing import Any

from django.db import transaction
from django.db.models.signals import post_save
from django.dispatch import receiver

from reports.models import Intervention

_AFTER = int(os.environ.get("STANDS_AFTER", "0"))
_acted_on: list[Intervention] = []


@receiver(post_save, sender=Intervention)
def _stand(instance: Intervention, **_: Any) -> None:
    if _AFTER and instance.part_of_id:
        _acted_on.append(instance)
        if len(_acted_on) == _AFTER:
            transaction.on_commit(_stand_still)


def _stand_still() -> None:
    while True:
        time.sleep(60)
