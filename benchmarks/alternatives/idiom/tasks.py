from celery import shared_task


@shared_task(name="idiom.first")
def first(number: int) -> int:
    return number


@shared_task(name="idiom.second")
def second(number: int) -> int:
    return number
