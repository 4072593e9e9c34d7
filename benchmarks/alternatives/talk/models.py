from django.conf import settings
from django.db import models


class AsyncActionReport(models.Model):
    PENDING = "pending"
    OK = "ok"
    FAILED = "failed"
    STATUS_CHOICES = ((PENDING, "pending"), (OK, "ok"), (FAILED, "failed"))

    status = models.CharField(max_length=7, choices=STATUS_CHOICES, default=PENDING)
    action = models.CharField(max_length=255)
    system_call = models.BooleanField(default=False)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE)
    error_message = models.TextField(blank=True, default="")
    error_traceback = models.TextField(blank=True, default="")

    def __str__(self) -> str:
        return self.status
