"""Start a chain, hand out the id of its last task, and poll that task's result.

Nothing tells whose task an id is: a client reads everybody's. Whoever is to be refused costs a row and a query more.
"""

import json
from typing import Any

from celery import chain
from django.urls import path
from django_celery_results.models import TaskResult
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from benchmarks.alternatives.idiom.tasks import first, second


class InputSerializer(serializers.Serializer):
    number = serializers.IntegerField(min_value=0)


class ResultSerializer(serializers.ModelSerializer):
    id = serializers.CharField(source="task_id")
    status = serializers.CharField()
    result = serializers.SerializerMethodField()

    class Meta:
        model = TaskResult
        fields = ["id", "status", "result", "traceback", "date_created", "date_done"]

    def get_result(self, row: TaskResult) -> Any:
        return json.loads(row.result) if row.result else None


class PairApi(APIView):
    def post(self, request: Request) -> Response:
        serializer = InputSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        last = chain(first.s(serializer.validated_data["number"]), second.s()).apply_async()
        return Response({"id": last.id, "status": "PENDING"}, status=202)


class ReportApi(APIView):
    def get(self, request: Request, report_id: str) -> Response:  # noqa: ARG002
        row = TaskResult.objects.filter(task_id=report_id).first()
        if row is None:  # nobody can tell what waits from what never was
            return Response({"id": report_id, "status": "PENDING", "result": None})
        return Response(ResultSerializer(row).data)


urlpatterns = [path("actions/pair", PairApi.as_view()), path("reports/<str:report_id>", ReportApi.as_view())]
