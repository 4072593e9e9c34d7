"""Settings, all from the environment. What is wrong stops the start with a line that says what to change."""

from pathlib import Path

import environ
from django.core.exceptions import ImproperlyConfigured

env = environ.Env()

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = Path(env.str("VAR_DIR", str(BASE_DIR / "var")))

DEBUG = env.bool("DEBUG", False)
SECRET_KEY = env.str("SECRET_KEY", "development-only" if DEBUG else "")
if not SECRET_KEY:
    raise ImproperlyConfigured("SECRET_KEY is not set. Give the service a long random value of its own.")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])

# Modules that define a team's endpoints and tasks; see docs/adding-an-action.md.
ACTION_MODULES = env.list("ACTION_MODULES", default=["api.invoices"])
# Django applications that those modules need for their models.
ACTION_APPS = env.list("ACTION_APPS", default=["services.invoices"])

INSTALLED_APPS = [
    "django.contrib.admin",
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
    *ACTION_APPS,
]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

DATABASES = {"default": env.db_url("DATABASE_URL", f"sqlite:///{VAR_DIR}/async-actions.sqlite3")}
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
elif DATABASES["default"]["ENGINE"] == "django.db.backends.postgresql":
    DATABASES["default"].setdefault("OPTIONS", {}).setdefault("connect_timeout", 5)
else:
    raise ImproperlyConfigured("DATABASE_URL names a database that is not supported. Use postgres://… or sqlite:///….")
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

BROKER_URL = env.str("BROKER_URL", "redis://127.0.0.1:6379/0")
REDIS_URL = env.str("REDIS_URL", "redis://127.0.0.1:6379/1")

USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en-us"
STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static"

# Limits, in bytes or characters, of what one report may hold.
REPORT_MAX_PARAMETERS_BYTES = env.int("REPORT_MAX_PARAMETERS_BYTES", 256 * 1024)
REPORT_MAX_RESULT_BYTES = env.int("REPORT_MAX_RESULT_BYTES", 1024 * 1024)
REPORT_MAX_PROGRESS_BYTES = env.int("REPORT_MAX_PROGRESS_BYTES", 4 * 1024)
REPORT_MAX_MESSAGE_CHARACTERS = env.int("REPORT_MAX_MESSAGE_CHARACTERS", 2_000)
REPORT_MAX_TRACEBACK_CHARACTERS = env.int("REPORT_MAX_TRACEBACK_CHARACTERS", 20_000)
REPORT_MAX_TASKS = env.int("REPORT_MAX_TASKS", 100_000)

# Recovery: how workers notice what was lost. Seconds.
RECOVERY_INTERVAL = env.float("RECOVERY_INTERVAL", 1.0)
RECOVERY_HEARTBEAT_INTERVAL = env.float("RECOVERY_HEARTBEAT_INTERVAL", 5.0)
RECOVERY_LEASE = env.float("RECOVERY_LEASE", 30.0)
RECOVERY_REPUBLISH_AFTER = env.float("RECOVERY_REPUBLISH_AFTER", 30.0)
RECOVERY_REPUBLISH_MAX = env.float("RECOVERY_REPUBLISH_MAX", 3600.0)
RECOVERY_MAX_LOSSES = env.int("RECOVERY_MAX_LOSSES", 3)
# How long a worker waits for a database that is away when an outcome is to be recorded. Seconds.
OUTCOME_PATIENCE = env.float("OUTCOME_PATIENCE", 600.0)

REST_FRAMEWORK = {
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
}

INVOICES_PLUS_URL = env.str("INVOICES_PLUS_URL", "http://127.0.0.1:8001")
INVOICES_PLUS_API_KEY = env.str("INVOICES_PLUS_API_KEY", "")
INVOICES_PLUS_TIMEOUT = env.float("INVOICES_PLUS_TIMEOUT", 10.0)
