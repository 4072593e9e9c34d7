import pytest
from django.db.migrations.recorder import MigrationRecorder

from services import migrations

pytestmark = pytest.mark.django_db

APPLIED = MigrationRecorder.Migration.objects


def test_a_database_that_is_up_to_date_lacks_nothing():
    assert migrations.find_missing() == []
    assert migrations.find_unknown() == []


def test_what_is_not_applied_is_named():
    APPLIED.filter(app="reports", name="0001_initial").delete()
    APPLIED.filter(app="knox", name="0001_initial").delete()
    assert migrations.find_missing() == ["knox.0001_initial", "reports.0001_initial"]


def test_what_a_newer_version_has_applied_is_missed_by_nobody():
    APPLIED.create(app="reports", name="9999_of_tomorrow")
    APPLIED.create(app="another_service", name="0001_initial")
    assert migrations.find_missing() == []
    assert migrations.find_unknown() == ["reports.9999_of_tomorrow"]
