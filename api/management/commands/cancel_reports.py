from api.management.intervening import InterventionCommand
from reports.models import Verb


class Command(InterventionCommand):
    help = "Cancel reports: final at once, nothing more of them starts. Without --yes, only tell how many and which."
    verb = Verb.CANCEL
