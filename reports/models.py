from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from uuid_utils.compat import uuid7


class Status(models.TextChoices):
    """Where a report stands. Each says what happens next."""

    PENDING = "pending"  # waits for its turn, its time or a worker; a worker claims it, or it is cancelled
    RUNNING = "running"  # a worker executes it, or its children are under way; its outcome is recorded next
    OK = "ok"  # final: it has a result and never runs again
    FAILED = "failed"  # final: it has an error; a retry resumes it
    CANCELLED = "cancelled"  # final: it was not wanted any more, or what it waited for failed; a retry resumes it


FINAL = (Status.OK, Status.FAILED, Status.CANCELLED)


class Kind(models.TextChoices):
    """What a node of the tree is. The root is always a chain."""

    CHAIN = "chain"  # its children run one after another; its result is its last child's
    GROUP = "group"  # its children run side by side; its result is theirs, in order
    TASK = "task"  # a Celery task; its id is the Celery task id


class AsyncActionReport(models.Model):
    """One node of an action's tree: the root is what a client polls, below it stands the plan.

    Rows are changed by the guarded updates of this package alone, never by ``save()``.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    # A tree is inserted and purged whole: the database need not check each of its inner references.
    root = models.ForeignKey("self", models.DO_NOTHING, related_name="tree", db_constraint=False, db_index=False)
    parent = models.ForeignKey(
        "self", models.DO_NOTHING, null=True, related_name="children", db_constraint=False, db_index=False
    )
    position = models.PositiveIntegerField(default=0, help_text="Place among the children of the parent.")
    kind = models.CharField(max_length=5, choices=Kind)
    status = models.CharField(max_length=9, choices=Status, default=Status.PENDING)

    action = models.CharField(max_length=100, help_text="Name of the action this belongs to.")
    task = models.CharField(max_length=200, blank=True, help_text="Celery name of the task.")
    system_call = models.BooleanField(default=True, help_text="Created by inner logic, not asked for by a client.")
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, db_index=False, related_name="reports"
    )

    # Two of a client's reports may be without a key, and not have the same one.
    idempotency_key = models.CharField(  # noqa: DJ001
        max_length=255, null=True, help_text="What the client names the request by. Roots only."
    )
    fingerprint = models.CharField(  # noqa: DJ001
        max_length=64, null=True, help_text="SHA-256 of what was asked for with the key, in hexadecimal. Roots only."
    )
    parameters = models.JSONField(null=True, help_text="What the client sent, validated. Roots only.")
    filters = models.JSONField(null=True, help_text="Those parameters that lists are filtered by. Roots only.")
    arguments = models.JSONField(null=True, help_text='A task\'s own {"args": [...], "kwargs": {...}}.')
    options = models.JSONField(null=True, help_text="Celery execution options of the signature: queue, priority, …")
    input_from = models.UUIDField(null=True, help_text="Report whose result is the first argument.")
    starts_with = models.UUIDField(help_text="Topmost report whose start starts this one too.")

    result = models.JSONField(null=True, help_text="What a task returned.")
    outcome_from = models.UUIDField(null=True, help_text="Report whose result or error this one passes on.")
    progress = models.JSONField(null=True, help_text='Last reported {"current", "total", "message"}.')
    error_code = models.CharField(max_length=100, blank=True)
    error_type = models.CharField(max_length=255, blank=True)
    error_message = models.TextField(blank=True)
    error_traceback = models.TextField(blank=True)
    error_task = models.CharField(max_length=200, blank=True, help_text="Name of the task that failed.")
    error_retryable = models.BooleanField(null=True, help_text="Whether a retry makes sense; null where nobody knows.")
    errors = models.JSONField(default=list, help_text="Errors of the failed attempts, oldest first.")

    attempts = models.PositiveIntegerField(default=0, help_text="Times claimed; the fence of every later write.")
    retries = models.PositiveIntegerField(default=0, help_text="Attempts that the task's retry policy counts.")
    losses = models.PositiveIntegerField(default=0, help_text="Times its worker was lost.")
    publications = models.PositiveIntegerField(default=0, help_text="Times recovery has published it again.")
    worker = models.CharField(max_length=255, blank=True, help_text="Worker that claimed it last.")

    children_total = models.PositiveIntegerField(default=0)
    children_ok = models.PositiveIntegerField(default=0)
    tasks_total = models.PositiveIntegerField(default=0, help_text="Tasks in the whole tree. Roots only.")
    tasks_ok = models.PositiveIntegerField(default=0, help_text="Tasks of the tree that are ok. Roots only.")

    created_at = models.DateTimeField(db_default=Now())
    not_before = models.DateTimeField(null=True, help_text="May not be claimed earlier: a schedule or a retry delay.")
    dispatched_at = models.DateTimeField(
        null=True, help_text="Its turn came; null while it waits for others. Of a root: when it was last retried."
    )
    deadline_at = models.DateTimeField(
        null=True, help_text="When the action fails: unless it has started, then unless it is finished. Roots only."
    )
    time_budget = models.FloatField(null=True, help_text="Seconds that the action may run. Roots only.")
    due_at = models.DateTimeField(null=True, help_text="When recovery publishes it, for the first time or again.")
    started_at = models.DateTimeField(null=True, help_text="First claimed.")
    heartbeat_at = models.DateTimeField(null=True, help_text="Its worker was last heard of.")
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["parent", "position"], name="report_children"),
            models.UniqueConstraint(
                fields=["requested_by", "idempotency_key"],
                name="report_idempotency_key",
                condition=Q(idempotency_key__isnull=False),
            ),
            models.CheckConstraint(condition=Q(kind__in=Kind.values), name="report_kind_known"),
            models.CheckConstraint(condition=Q(status__in=Status.values), name="report_status_known"),
            models.CheckConstraint(condition=Q(children_ok__lte=F("children_total")), name="report_children_counted"),
        ]
        permissions = [
            ("read_all_reports", "Can read the reports of every client over the API"),
            ("read_tracebacks", "Can read the tracebacks of failed tasks over the API"),
            ("read_payloads", "Can read parameters and results on the admin pages"),
            ("intervene", "Can cancel and retry the reports of every client on the admin pages"),
        ]
        indexes = [
            models.Index(fields=["root", "id"], name="report_tree"),
            models.Index(fields=["starts_with"], name="report_start", condition=Q(status="pending")),
            models.Index(fields=["due_at"], name="report_due", condition=Q(status="pending", due_at__isnull=False)),
            models.Index(fields=["heartbeat_at"], name="report_running", condition=Q(status="running", kind="task")),
            models.Index(
                fields=["deadline_at"],
                name="report_deadline",
                condition=Q(status__in=("pending", "running"), deadline_at__isnull=False),
            ),
            models.Index(
                fields=["finished_at"], name="report_purge", condition=Q(parent=None, finished_at__isnull=False)
            ),
            models.Index(fields=["requested_by", "-id"], name="report_listing", condition=Q(parent=None)),
            models.Index(fields=["requested_by", "action", "-id"], name="report_by_action", condition=Q(parent=None)),
            models.Index(fields=["requested_by", "status", "-id"], name="report_by_status", condition=Q(parent=None)),
            # Paid for by actions that fail alone.
            models.Index(
                fields=["requested_by", "error_code", "-id"],
                name="report_by_error",
                condition=Q(parent=None, status="failed"),
            ),
            # Paid for by actions that let their reports be found by parameters. SQLite cannot use it.
            GinIndex(
                fields=["filters"],
                opclasses=["jsonb_path_ops"],
                name="report_by_filters",
                condition=Q(parent=None, filters__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.task or self.action} {self.status}"


class Verb(models.TextChoices):
    """What operators do to actions."""

    CANCEL = "cancel"
    RETRY = "retry"


class Source(models.TextChoices):
    """Where operators act from."""

    ADMIN = "admin"  # the admin pages
    COMMAND = "command"  # manage.py, on one of the service's machines


class Intervention(models.Model):
    """What an operator did: to one action, or to all that were searched for. Written once and never changed.

    It stands in the transaction of the change that it tells of: there is neither without the other. It outlives the
    report and the account that it names.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    made_at = models.DateTimeField(db_default=Now())
    who = models.CharField(max_length=255, help_text="Name of the operator.")
    account = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.DO_NOTHING, null=True, db_constraint=False, db_index=False, related_name="+"
    )
    source = models.CharField(max_length=7, choices=Source)
    verb = models.CharField(max_length=6, choices=Verb)
    report = models.UUIDField(help_text="What it was done to; of an operation on many, the operation's own report.")
    search = models.JSONField(null=True, help_text="Which reports it is for. Operations on many only.")
    part_of = models.ForeignKey(
        "self", models.DO_NOTHING, null=True, db_constraint=False, db_index=False, related_name="parts"
    )
    refused = models.CharField(max_length=100, blank=True, help_text="Code of the reason why nothing was changed.")
    reason = models.CharField(max_length=500, blank=True, help_text="As the operator gave it.")

    class Meta:
        constraints = [
            # An operation on many acts on a report once, however often a worker of it is lost.
            models.UniqueConstraint(
                fields=["part_of", "report"], name="intervention_once", condition=Q(part_of__isnull=False)
            ),
            models.CheckConstraint(condition=Q(source__in=Source.values), name="intervention_source_known"),
            models.CheckConstraint(condition=Q(verb__in=Verb.values), name="intervention_verb_known"),
        ]
        indexes = [
            models.Index(fields=["report", "id"], name="intervention_report"),
            models.Index(fields=["id"], name="intervention_made", condition=Q(part_of=None)),
        ]

    def __str__(self) -> str:
        return f"{self.who}: {self.verb} {self.report}"


class Worker(models.Model):
    """A worker, as it says itself after each whole pass of its recovery. Its row goes with it when it ends in order."""

    name = models.CharField(max_length=255, primary_key=True, help_text="What its claims begin with.")
    queues = models.JSONField(default=list, help_text="From which it takes work; none once it comes to its end.")
    processes = models.PositiveIntegerField(help_text="Tasks that it executes at once, at most.")
    started_at = models.DateTimeField(db_default=Now())
    heartbeat_at = models.DateTimeField(db_default=Now(), help_text="It was last heard of.")

    def __str__(self) -> str:
        return self.name
