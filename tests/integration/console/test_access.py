"""Who sees the operators' pages, and what a browser may do with them."""

from uuid import uuid4

import pytest
from django.test import Client

LIST = "/admin/reports/asyncactionreport/"
PARTS = ("change", "live", "details")


class TestAccess:
    @pytest.mark.parametrize("path", ["/admin/", LIST])
    def test_needs_a_login(self, db, path):
        response = Client().get(path)

        assert (response.status_code, response.headers["Location"]) == (302, f"/admin/login/?next={path}")

    def test_needs_the_permission_to_view_reports(self, person_with, ledger):
        report = ledger.accept()
        nobody = person_with()

        for path in (LIST, *(f"{LIST}{report}/{part}/" for part in PARTS)):
            answer = nobody.get(path)
            assert (answer.status_code, answer["Content-Type"]) == (403, "text/html; charset=utf-8")

    def test_a_viewer_reads(self, viewer, ledger):
        report = ledger.accept()

        assert str(report) in viewer.get(LIST).content.decode()
        assert "sync-invoices" in viewer.get(f"{LIST}{report}/change/").content.decode()
        assert viewer.get(f"{LIST}{uuid4()}/change/").status_code == 404

    @pytest.mark.parametrize("part", PARTS)
    def test_every_part_of_a_report_needs_a_login(self, ledger, part):
        assert Client().get(f"{LIST}{ledger.accept()}/{part}/").status_code == 302

    @pytest.mark.parametrize("path", ["add/", "{}/change/", "{}/delete/"])
    def test_nobody_changes_a_report_by_a_form(self, admin_client, ledger, path):
        report = ledger.accept()
        response = admin_client.post(LIST + path.format(report), {"status": "ok", "post": "yes"})

        assert response.status_code in (403, 405)
        assert ledger.claim(report)  # still pending


@pytest.mark.parametrize("path", ["/admin/", "/admin/login/", LIST])
def test_browsers_are_told_what_the_pages_may_do(admin_client, path):
    policy = admin_client.get(path).headers["Content-Security-Policy"]

    assert "default-src 'none'" in policy
    assert "script-src 'self' 'unsafe-eval';" in policy
    assert "frame-ancestors 'none'" in policy


def test_the_pages_of_the_api_keep_their_own_policy(db):
    assert "unsafe-eval" not in Client().get("/docs").headers["Content-Security-Policy"]
    assert "Content-Security-Policy" not in Client().get("/reports").headers
