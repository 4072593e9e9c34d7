"""The endpoint through which trials are asked for."""

from rest_framework import serializers

from api.actions import ActionApi
from chaos import trials


class TrialApi(ActionApi):
    """Run a canvas whose tasks testify to what they do."""

    name = "trial"
    canvas = trials.signatures_of

    class InputSerializer(serializers.Serializer):
        canvas = serializers.JSONField()
        path = serializers.CharField(max_length=100)

    OutputSerializer = serializers.JSONField()
