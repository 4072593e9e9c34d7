import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="AsyncActionReport",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "status",
                    models.CharField(
                        choices=[("pending", "pending"), ("ok", "ok"), ("failed", "failed")],
                        default="pending",
                        max_length=7,
                    ),
                ),
                ("action", models.CharField(max_length=255)),
                ("system_call", models.BooleanField(default=False)),
                ("error_message", models.TextField(blank=True, default="")),
                ("error_traceback", models.TextField(blank=True, default="")),
                (
                    "requested_by",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to=settings.AUTH_USER_MODEL),
                ),
            ],
        ),
    ]
