from celery import shared_task


@shared_task(name="floor.noop")
def noop(number: int = 0) -> int:
    return number
