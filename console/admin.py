from django.contrib import admin
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from knox.models import AuthToken

from console.journal import InterventionAdmin
from console.people import GroupAdmin, TokenAdmin, UserAdmin
from console.reports import ReportAdmin
from reports.models import AsyncActionReport, Intervention

# In place of those that their own applications have registered.
admin.site.unregister([get_user_model(), Group, AuthToken])

admin.site.register(get_user_model(), UserAdmin)
admin.site.register(Group, GroupAdmin)
admin.site.register(AuthToken, TokenAdmin)
admin.site.register(AsyncActionReport, ReportAdmin)
admin.site.register(Intervention, InterventionAdmin)
