import os
import subprocess
import sys

import pytest
from django.contrib.auth import get_user_model
from django.db import connection

_COUNT = "import django; django.setup(); from django.contrib.auth.models import User; print(User.objects.count())"


@pytest.mark.django_db(transaction=True)
def test_a_process_of_its_own_sees_what_a_test_commits() -> None:
    get_user_model().objects.create(username="somebody")
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings"}
    seen = subprocess.run([sys.executable, "-c", _COUNT], env=environment, capture_output=True, text=True, check=True)
    assert seen.stdout.strip() == "1"


@pytest.mark.django_db(transaction=True)
def test_what_a_test_commits_is_gone_after_it() -> None:
    assert get_user_model().objects.count() == 0


@pytest.mark.django_db
def test_the_database_is_the_one_that_was_asked_for(settings) -> None:
    vendors = {"sqlite": "sqlite", "postgres": "postgresql"}
    assert connection.vendor == vendors[settings.TEST_DATABASE]
