from django.contrib import admin

from console.reports import ReportAdmin
from reports.models import AsyncActionReport

admin.site.register(AsyncActionReport, ReportAdmin)
