"""The routes of the API; those of the actions come from the catalogue."""

from django.urls import path

from api import catalogue, docs, events, health, interventions, pages, reports
from api.batch import routes_of

urlpatterns = [
    # Django tries one after another: what is asked for most comes first, whatever the number of actions.
    path("reports", reports.ReportsApi.as_view(), name="reports"),
    path("reports/<str:report_id>", reports.ReportApi.as_view(), name="report"),
    path("reports/<str:report_id>/tasks", reports.ReportTasksApi.as_view(), name="report-tasks"),
    path("reports/<str:report_id>/events", events.ReportEventsApi.as_view(), name="report-events"),
    path("reports/<str:report_id>/cancel", interventions.CancelReportApi.as_view(), name="report-cancel"),
    path("reports/<str:report_id>/retry", interventions.RetryReportApi.as_view(), name="report-retry"),
    path("actions", pages.ActionsApi.as_view(), name="actions"),
    *(route for action in catalogue.actions() for route in routes_of(action)),
    path("actions/<str:name>", pages.UnknownActionApi.as_view(), name="action"),
    path("actions/<str:name>/batch", pages.UnknownActionApi.as_view()),
    path("", pages.HomePage.as_view(), name="home"),
    path("docs", docs.SwaggerPage.as_view(), name="docs"),
    path("docs/redoc", docs.RedocPage.as_view(), name="redoc"),
    path("openapi.yaml", pages.OpenApiPage.as_view(), name="openapi"),
    path("problems", pages.ProblemsPage.as_view(), name="problems"),
    path("problems/<str:code>", pages.ProblemPage.as_view(), name="problem"),
    path("errors", pages.ErrorsPage.as_view(), name="errors"),
    path("errors/<str:code>", pages.ErrorPage.as_view(), name="error"),
    path("health/live", health.LivePage.as_view(), name="health-live"),
    path("health/serving", health.ServingPage.as_view(), name="health-serving"),
    path("health/ready", health.ReadyPage.as_view(), name="health-ready"),
]
