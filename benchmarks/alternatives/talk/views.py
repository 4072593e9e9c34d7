from celery import chain
from django.shortcuts import get_object_or_404
from django.urls import path
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from benchmarks.alternatives.talk.models import AsyncActionReport
from benchmarks.alternatives.talk.tasks import first, second


class InputSerializer(serializers.Serializer):
    number = serializers.IntegerField(min_value=0)


class ReportSerializer(serializers.ModelSerializer):
    class Meta:
        model = AsyncActionReport
        fields = ["id", "status", "action", "error_message"]


class PairApi(APIView):
    def post(self, request: Request) -> Response:
        serializer = InputSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        report = AsyncActionReport.objects.create(action="pair", requested_by=request.user)
        chain(
            first.s(serializer.validated_data["number"], async_action_report_id=report.id),
            second.s(async_action_report_id=report.id),
        ).apply_async()
        return Response(ReportSerializer(report).data, status=202)


class ReportApi(APIView):
    def get(self, request: Request, report_id: int) -> Response:
        report = get_object_or_404(AsyncActionReport, pk=report_id, requested_by=request.user)
        return Response(ReportSerializer(report).data)


urlpatterns = [path("actions/pair", PairApi.as_view()), path("reports/<int:report_id>", ReportApi.as_view())]
