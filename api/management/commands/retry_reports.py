from api.management.intervening import InterventionCommand
from reports.models import Verb


class Command(InterventionCommand):
    help = "Have failed or cancelled reports go on at what is not ok. Without --yes, only tell how many and which."
    verb = Verb.RETRY
