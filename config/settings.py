"""Settings, all from the environment. What is wrong stops the start with a line that says what to change.

The comment above a variable is what docs/configuration.md says of it, and one that stands alone is a heading there:
``manage.py check_configuration --write`` brings that page up to date.
"""

import os
import sys
from importlib.util import find_spec
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from config.environment import SHORTEST_TOKEN, Environment
from config.frameworks import (  # noqa: F401  settings
    AUTHENTICATION_BACKENDS,
    MIDDLEWARE,
    REST_FRAMEWORK,
    REST_KNOX,
    ROOT_URLCONF,
    SPECTACULAR_SETTINGS,
    TEMPLATES,
    WSGI_APPLICATION,
)
from config.logs import FORMATS, logging_settings
from console.appearance import UNFOLD  # noqa: F401  a setting
from reports.redaction import secret_values

env = Environment()

BASE_DIR = Path(__file__).resolve().parent.parent

# The installation

# Folder for what the service writes beside the database: a worker's pulse, and SQLite's file. `var` in the project's
# folder by default, `/tmp` in the image.
VAR_DIR = Path(env.str("VAR_DIR", str(BASE_DIR / "var")))

# Shows code and settings to whoever causes an error: for one's own machine alone.
DEBUG = env.bool("DEBUG", False)
# A long random value of this installation's own. Has to be set, unless `DEBUG=1`. Secret.
SECRET_KEY = env.str("SECRET_KEY", "development-only" if DEBUG else "")
if not SECRET_KEY:
    raise ImproperlyConfigured("SECRET_KEY is not set. Give the service a long random value of its own.")
# Names and addresses that requests may come to, by their `Host` header. Health checks too.
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])

# Whether clients come by HTTPS: what does not is redirected there, but for health checks. 0 is for one's own machine.
HTTPS = env.bool("HTTPS", True)
SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^health/"]  # asked by the container's own health check, without the proxy
# How long browsers go by it that this service speaks HTTPS alone, in seconds.
SECURE_HSTS_SECONDS = env.int("HSTS_SECONDS", 30 * 24 * 3600) if HTTPS else 0
# Whether a proxy ends TLS in front of the service. It has to set `X-Forwarded-Proto` itself, whatever its clients send,
# and to add their address to `X-Forwarded-For`.
BEHIND_PROXY = env.bool("BEHIND_PROXY", False)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_PROXY else None
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
# Origins, such as `https://actions.example.com`, from which the admin pages take forms beside their own.
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
CSRF_FAILURE_VIEW = "api.handlers.csrf_failure"
X_FRAME_OPTIONS = "DENY"
# A service speaks for its own host; what holds for sub-domains and in browsers' lists is its domain's to decide.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]

# Actions

# Modules that define a team's endpoints and tasks; see [adding an action](adding-an-action.md).
ACTION_MODULES = env.modules("ACTION_MODULES", default=["api.invoices"])
# Django applications that these modules need for their models.
ACTION_APPS = env.modules("ACTION_APPS", default=["services.invoices"])

INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",  # before Django's admin, whose templates it replaces
    "console.apps.SiteConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "rest_framework",
    "knox",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "reports",
    "tasks",
    "api",
    "console",
    *ACTION_APPS,
]

# Database

# Address of PostgreSQL 15 or newer, as `postgres://user:password@host:5432/database`. A file of SQLite in `VAR_DIR` is
# the default, for one's own machine. Secret where it holds a password.
DATABASES = {"default": env.database("DATABASE_URL", f"sqlite:///{VAR_DIR}/async-actions.sqlite3")}
DATABASES["default"]["CONN_MAX_AGE"] = None
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"].setdefault("OPTIONS", {}).update(
        {
            "transaction_mode": "IMMEDIATE",
            "timeout": 30,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
        }
    )
else:
    # PostgreSQL ends a transaction that stands still for so long: its process may be frozen or cut off, and others wait
    # for its locks. No task may keep a transaction open for longer while it waits for something else.
    DATABASE_IDLE_TRANSACTION_MAX = env.seconds("DATABASE_IDLE_TRANSACTION_MAX", 60.0)
    _OPTIONS = DATABASES["default"].get("OPTIONS", {})
    # Whether PostgreSQL plans a statement once for each connection: the same few come again and again, and to plan them
    # costs more than to run them. 0 for a pooler that lends connections for single transactions and keeps no prepared
    # statements, such as PgBouncer without max_prepared_statements.
    DATABASE_PREPARES_STATEMENTS = env.bool("DATABASE_PREPARES_STATEMENTS", True)
    DATABASES["default"]["ENGINE"] = "config.postgres"
    DATABASES["default"]["OPTIONS"] = {
        "server_side_binding": DATABASE_PREPARES_STATEMENTS,
        "prepare_threshold": 5 if DATABASE_PREPARES_STATEMENTS else None,
        "connect_timeout": 5,
        "keepalives_idle": 15,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": 30_000,
        **_OPTIONS,
        "options": f"-c idle_in_transaction_session_timeout={DATABASE_IDLE_TRANSACTION_MAX * 1000:.0f}"
        f" {_OPTIONS.get('options', '')}",
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Broker and Redis

# Address of the broker: Redis, Valkey or RabbitMQ. Secret where it holds a password.
BROKER_URL = env.service(
    "BROKER_URL", "redis://127.0.0.1:6379/0", schemes=("redis", "rediss", "sentinel", "amqp", "amqps")
)
# Address of the Redis or Valkey that counts requests and announces ends. Secret where it holds a password.
REDIS_URL = env.service("REDIS_URL", "redis://127.0.0.1:6379/1", schemes=("redis", "rediss", "unix"))
# Queue of the tasks that name no other.
TASK_DEFAULT_QUEUE = env.str("TASK_DEFAULT_QUEUE", "async-actions")
# Queue of operations on many reports, `TASK_DEFAULT_QUEUE` by default. One with a worker of its own lets them overtake
# a long queue of others.
OPERATIONS_QUEUE = env.str("OPERATIONS_QUEUE", TASK_DEFAULT_QUEUE)
# Tasks that a process of a worker runs before it opens a new connection to the database.
WORKER_DATABASE_REUSE_MAX = env.int("WORKER_DATABASE_REUSE_MAX", 1_000)

USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en-us"
STATIC_URL = "static/"

# Static files and logs

# Folder where `manage.py collectstatic` has put the static files, as it has in the image. Without one, by default, they
# are served from the packages they come with.
STATIC_ROOT = env.str("STATIC_ROOT", None)
WHITENOISE_USE_FINDERS = STATIC_ROOT is None
WHITENOISE_AUTOREFRESH = False

# What is taken out of every log line and every kept error, by its value: secrets of the environment.
REDACTED_VALUES = secret_values(os.environ)

# The least level that is logged: DEBUG, INFO, WARNING or ERROR.
LOG_LEVEL = env.str("LOG_LEVEL", "INFO").upper()
if LOG_LEVEL not in ("DEBUG", "INFO", "WARNING", "ERROR"):
    raise ImproperlyConfigured("LOG_LEVEL is none of DEBUG, INFO, WARNING, ERROR.")
# How the log is written: `json`, or `console` for people, the default with `DEBUG` and in a terminal.
LOG_FORMAT = env.str("LOG_FORMAT", "console" if DEBUG or sys.stderr.isatty() else "json").lower()
if LOG_FORMAT not in FORMATS:
    raise ImproperlyConfigured(f"LOG_FORMAT is none of {', '.join(FORMATS)}.")
LOGGING = logging_settings(level=LOG_LEVEL, form=LOG_FORMAT)

# Metrics and traces

# Who shows this token may read the metrics: at /metrics of the web server, and where workers serve theirs. Nothing is
# shown without it. 16 characters or more. Secret.
METRICS_TOKEN = env.str("METRICS_TOKEN", "")
if METRICS_TOKEN and len(METRICS_TOKEN) < SHORTEST_TOKEN:
    raise ImproperlyConfigured(f"METRICS_TOKEN is shorter than {SHORTEST_TOKEN} characters. Use a long random value.")
# Where each worker shows its own, such as 0.0.0.0:9464; workers on one machine need a port each.
METRICS_WORKER_ADDRESS = env.address("METRICS_WORKER_ADDRESS")
if METRICS_WORKER_ADDRESS and not METRICS_TOKEN:
    raise ImproperlyConfigured("METRICS_WORKER_ADDRESS is set and METRICS_TOKEN is not. Set both, or neither.")

# Where spans are sent, by OTLP over HTTP, such as `http://collector:4318`; nowhere without it. OpenTelemetry reads this
# variable and others of its own itself.
OTEL_EXPORTER_OTLP_ENDPOINT = env.collector("OTEL_EXPORTER_OTLP_ENDPOINT")
# The same, as the whole address of spans alone.
OTEL_EXPORTER_OTLP_TRACES_ENDPOINT = env.collector("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
# Whether nothing is sent, whatever else is set.
OTEL_SDK_DISABLED = env.bool("OTEL_SDK_DISABLED", False)
TRACES = not OTEL_SDK_DISABLED and bool(OTEL_EXPORTER_OTLP_ENDPOINT or OTEL_EXPORTER_OTLP_TRACES_ENDPOINT)
if TRACES and find_spec("opentelemetry") is None:
    raise ImproperlyConfigured(
        "OTEL_EXPORTER_OTLP_ENDPOINT is set, and OpenTelemetry is not installed. Install requirements/tracing.txt,"
        " build the image with --build-arg REQUIREMENTS=tracing, or leave the variable out."
    )

# What one report may hold

# The largest parameters of an action, as JSON.
REPORT_MAX_PARAMETERS_BYTES = env.int("REPORT_MAX_PARAMETERS_BYTES", 256 * 1024)
# The largest result of a task, as JSON.
REPORT_MAX_RESULT_BYTES = env.int("REPORT_MAX_RESULT_BYTES", 1024 * 1024)
# The largest progress that a task shows, as JSON.
REPORT_MAX_PROGRESS_BYTES = env.int("REPORT_MAX_PROGRESS_BYTES", 4 * 1024)
# An error's message is cut there.
REPORT_MAX_MESSAGE_CHARACTERS = env.int("REPORT_MAX_MESSAGE_CHARACTERS", 2_000)
# Of a traceback, so much of its end is kept.
REPORT_MAX_TRACEBACK_CHARACTERS = env.int("REPORT_MAX_TRACEBACK_CHARACTERS", 20_000)
# Errors of failed attempts that are kept, the newest ones.
REPORT_MAX_ERRORS = env.int("REPORT_MAX_ERRORS", 20)
# The most tasks of one action, with those that it grows to.
REPORT_MAX_TASKS = env.int("REPORT_MAX_TASKS", 100_000)
# Tasks that may wait for workers before no more actions are accepted: clients get 503, overloaded, until there is room.
# Operators' retries of many reports take half of it.
REPORT_MAX_WAITING = env.count("REPORT_MAX_WAITING", 200_000)

# Recovery: how workers notice what was lost

# Pause between two passes of recovery; no longer than `RECOVERY_HEARTBEAT_INTERVAL`.
RECOVERY_INTERVAL = env.seconds("RECOVERY_INTERVAL", 1.0)
# How often a worker stamps what it executes.
RECOVERY_HEARTBEAT_INTERVAL = env.seconds("RECOVERY_HEARTBEAT_INTERVAL", 5.0)
# How long a running task may go without a heartbeat; several heartbeat intervals.
RECOVERY_LEASE = env.seconds("RECOVERY_LEASE", 30.0)
if RECOVERY_INTERVAL > RECOVERY_HEARTBEAT_INTERVAL:
    raise ImproperlyConfigured(
        "RECOVERY_INTERVAL is longer than RECOVERY_HEARTBEAT_INTERVAL, and heartbeats are written once per pass."
        " Make it the shorter one."
    )
if RECOVERY_LEASE < 2 * RECOVERY_HEARTBEAT_INTERVAL:
    raise ImproperlyConfigured("RECOVERY_LEASE is not two RECOVERY_HEARTBEAT_INTERVALs long. Make it several of them.")
# A message that nobody claimed is published again after this, or as long as tasks have to wait in its queue; then at
# doubled intervals.
RECOVERY_REPUBLISH_AFTER = env.seconds("RECOVERY_REPUBLISH_AFTER", 30.0)
# The longest such interval.
RECOVERY_REPUBLISH_MAX = env.seconds("RECOVERY_REPUBLISH_MAX", 3600.0)
# How often a task that may run again may lose its worker.
RECOVERY_MAX_LOSSES = env.int("RECOVERY_MAX_LOSSES", 3)
# How long a task is given to workers that have no code for it before it fails; longer than a deploy takes.
UNKNOWN_TASK_PATIENCE = env.seconds("UNKNOWN_TASK_PATIENCE", 900.0)
# Actions that are final are deleted after so many days.
REPORT_RETENTION_DAYS = env.float("REPORT_RETENTION_DAYS", 30.0)
# The same by action, such as `{"sync-invoices": 7}`.
REPORT_RETENTION_DAYS_BY_ACTION = env.json("REPORT_RETENTION_DAYS_BY_ACTION", default={})
if not isinstance(REPORT_RETENTION_DAYS_BY_ACTION, dict) or not all(
    isinstance(days, int | float) for days in REPORT_RETENTION_DAYS_BY_ACTION.values()
):
    raise ImproperlyConfigured('REPORT_RETENTION_DAYS_BY_ACTION is not days by action, such as {"sync-invoices": 7}.')
# Entries of the journal of what operators did are deleted after so many days; 0 keeps them for ever. Those of an
# operation stay as long as its report, which may go on by them.
JOURNAL_RETENTION_DAYS = env.float("JOURNAL_RETENTION_DAYS", 365.0)
if JOURNAL_RETENTION_DAYS < 0:
    raise ImproperlyConfigured("JOURNAL_RETENTION_DAYS is below 0. Give it days, or 0 to keep the journal for ever.")
# How long a worker waits for a database that is away when it has an outcome to record, in seconds.
OUTCOME_PATIENCE = env.float("OUTCOME_PATIENCE", 600.0)
# How long a part of a worker may give no sign of life before the worker ends itself; longer than Celery waits between
# two tries to reach the broker, which is 32 seconds.
WORKER_SILENCE_MAX = env.seconds("WORKER_SILENCE_MAX", 120.0)
# What a worker touches every second as long as it can be trusted. Workers that share a folder need one each; it is
# `worker.pulse` in `VAR_DIR` by default.
WORKER_PULSE_FILE = Path(env.str("WORKER_PULSE_FILE", str(VAR_DIR / "worker.pulse")))

# Requests and those who wait

# The largest body of a request, for one action or for many.
DATA_UPLOAD_MAX_MEMORY_SIZE = env.count("REQUEST_MAX_BODY_BYTES", 1024 * 1024)
# How deep lists and objects in a body may be in each other.
REQUEST_MAX_DEPTH = env.count("REQUEST_MAX_DEPTH", 32, most=100)
# Characters of one string in a body.
REQUEST_MAX_STRING_LENGTH = env.count("REQUEST_MAX_STRING_LENGTH", 100_000)
# Items of one list in a body.
REQUEST_MAX_LIST_LENGTH = env.count("REQUEST_MAX_LIST_LENGTH", 10_000)
# Members of one object in a body.
REQUEST_MAX_MEMBERS = env.count("REQUEST_MAX_MEMBERS", 1_000)
WEB_SPARE_THREADS = 32  # left to all other requests by clients that wait, each of whom keeps a thread busy
# Threads of each web process, made when they are needed; 288 in the image. Granian reads the same variable: give it no
# `--blocking-threads`.
_MOST_WAITERS = max(0, env.count("GRANIAN_BLOCKING_THREADS", WEB_SPARE_THREADS) - WEB_SPARE_THREADS)
# The longest that `Prefer: wait` holds an answer; a proxy in front must have more patience.
REQUEST_MAX_WAIT = env.seconds("REQUEST_MAX_WAIT", 30.0)
# How many clients may wait in each web process, by `Prefer: wait` and by events. All threads but 32 by default.
REQUEST_MAX_WAITERS = env.count("REQUEST_MAX_WAITERS", _MOST_WAITERS, least=0)
if REQUEST_MAX_WAITERS > _MOST_WAITERS:
    raise ImproperlyConfigured(
        f"REQUEST_MAX_WAITERS leaves no {WEB_SPARE_THREADS} of a web process's threads to others."
        f" Set GRANIAN_BLOCKING_THREADS to {REQUEST_MAX_WAITERS + WEB_SPARE_THREADS} or more."
    )
# How many of these may hear of events. Half of them by default.
EVENTS_MAX_CLIENTS = env.count("EVENTS_MAX_CLIENTS", REQUEST_MAX_WAITERS // 2, least=0)
# How long a stream of events lasts before its client has to come back.
EVENTS_MAX_SECONDS = env.seconds("EVENTS_MAX_SECONDS", 300.0)
# The pause between two signs of life in a stream of events.
EVENTS_HEARTBEAT = env.seconds("EVENTS_HEARTBEAT", 15.0)
# Connections to the database in each web process, which its threads share.
WEB_DATABASE_CONNECTIONS = env.count("WEB_DATABASE_CONNECTIONS", 8)

# Clients

# How long a web process goes by what it has read of a token, its client and the client's permissions, in seconds.
TOKEN_CACHE_SECONDS = env.float("TOKEN_CACHE_SECONDS", 10.0)
# What one client may submit.
THROTTLE_SUBMIT = env.quota("THROTTLE_SUBMIT", "12000/minute")
# What one client may read.
THROTTLE_READ = env.quota("THROTTLE_READ", "60000/minute")
# Tokens that nobody has, from one network.
THROTTLE_FAILED_AUTHENTICATIONS = env.quota("THROTTLE_FAILED_AUTHENTICATIONS", "300/minute")
# Wrong names and passwords on the admin pages, from one network.
THROTTLE_FAILED_LOGINS = env.quota("THROTTLE_FAILED_LOGINS", "10/minute")
# Actions that only clients with a permission for them may ask for, beside those that say so themselves; `*` is all.
RESTRICTED_ACTIONS = env.list("RESTRICTED_ACTIONS", default=[])


# InvoicesPlus, the third party of the example

# Its address.
INVOICES_PLUS_URL = env.str("INVOICES_PLUS_URL", "http://127.0.0.1:8001")
# The key that it knows this service by. Secret.
INVOICES_PLUS_API_KEY = env.str("INVOICES_PLUS_API_KEY", "")
# How long it may take to answer, in seconds.
INVOICES_PLUS_TIMEOUT = env.float("INVOICES_PLUS_TIMEOUT", 10.0)

# Variables that nobody reads, by what they are probably meant to be: `manage.py doctor` tells of them.
MISSPELT_VARIABLES = env.misspelt()
