"""The pages about clients, people, what they may do, and tokens."""

from typing import Any

from django.contrib.auth import admin as auth
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm


class UserAdmin(auth.UserAdmin, ModelAdmin):
    """Clients, which have tokens, and people, who have passwords."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm


class GroupAdmin(auth.GroupAdmin, ModelAdmin):
    """Groups of them, with permissions of their own."""


class TokenAdmin(ModelAdmin):
    """Clients' tokens, by their beginnings. Here they are seen and revoked; commands make them, and print them once."""

    list_display = ("token_key", "user", "created", "expiry")
    list_select_related = ("user",)
    search_fields = ("token_key", "user__username")
    fields = ("token_key", "user", "created", "expiry")

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002  Django's signature
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return False
