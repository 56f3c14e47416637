"""Settings, all from the environment (https://12factor.net/config).

`make run` and the tests set these variables themselves (`embedded/`); `deploy/satchel.env.example` lists them
for production, each with what it means.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import environ
import structlog
from csp.constants import NONE, SELF
from kombu import Queue

from config.staticfiles import add_headers

env = environ.Env()

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = Path(env.str("SATCHEL_VAR", default=str(BASE_DIR / "var")))

# --- web ------------------------------------------------------------------------------------------
SECRET_KEY = env.str("SECRET_KEY")
DEBUG = env.bool("DEBUG", default=False)
ALLOWED_HOSTS: list[str] = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", default=[])
# True when people reach us over HTTPS, as they do anywhere but on their own machine.
HTTPS = env.bool("HTTPS", default=True)

INSTALLED_APPS = [
    "config.apps.SatchelAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "config.apps.SatchelStaticFilesConfig",
    "django.forms",
    "csp",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "accounts",
    "submissions",
    "files",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
APPEND_SLASH = False
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# --- data -----------------------------------------------------------------------------------------
DATABASES: dict[str, dict[str, Any]] = {"default": env.db("DATABASE_URL")}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
else:
    # The pool doubled the POSTs per second; it replaces persistent connections, which must be off.
    DATABASES["default"]["CONN_MAX_AGE"] = 0
    # Of the pool it asks whether a connection that it hands out is still alive.
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
    DATABASES["default"].setdefault("OPTIONS", {})["pool"] = {
        "min_size": 1,
        "max_size": env.int("DATABASE_POOL_SIZE", default=16),
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env.str("REDIS_URL")
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        # Each call of the API is counted there, and none should wait long for what it can do without.
        "OPTIONS": {"socket_connect_timeout": 1, "socket_timeout": 1},
    },
}

# --- the object store -----------------------------------------------------------------------------
S3_ENDPOINT_URL = env.str("S3_ENDPOINT_URL", default="https://s3.amazonaws.com").rstrip("/")
# The address under which browsers and scripts see the same store; signed into the URLs that they get.
S3_PUBLIC_ENDPOINT_URL = env.str("S3_PUBLIC_ENDPOINT_URL", default=S3_ENDPOINT_URL).rstrip("/")
S3_BUCKET = env.str("S3_BUCKET")
S3_REGION = env.str("S3_REGION", default="us-east-1")
S3_ACCESS_KEY_ID = env.str("S3_ACCESS_KEY_ID")
S3_SECRET_ACCESS_KEY = env.str("S3_SECRET_ACCESS_KEY")
S3_ADDRESSING_STYLE = env.str("S3_ADDRESSING_STYLE", default="path")
# Whether the ETag of an object sent in one piece is its MD5; it is not with SSE-KMS or SSE-C.
S3_ETAG_IS_MD5 = env.bool("S3_ETAG_IS_MD5", default=True)

STORAGES: dict[str, dict[str, Any]] = {
    # Metadata tables and FASTA as they were sent; files of submitters go through files/storage.py.
    "default": {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "endpoint_url": S3_ENDPOINT_URL,
            "bucket_name": S3_BUCKET,
            "region_name": S3_REGION,
            "access_key": S3_ACCESS_KEY_ID,
            "secret_key": S3_SECRET_ACCESS_KEY,
            "addressing_style": S3_ADDRESSING_STYLE,
            "signature_version": "s3v4",
            "location": "submissions",
            "file_overwrite": False,
            "default_acl": None,
        },
    },
    "staticfiles": {"BACKEND": "config.staticfiles.ModuleManifestStorage"},
}
STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
WHITENOISE_ADD_HEADERS_FUNCTION = add_headers
STATICFILES_DIRS: list[Any] = [BASE_DIR / "static", ("help", BASE_DIR / "docs" / "images")]

# --- people ---------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "home"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
# An RSA private key in PEM, the same for all web processes; "\n" may stand for a line end.
JWT_PRIVATE_KEY = env.str("JWT_PRIVATE_KEY").replace("\\n", "\n")
JWT_LIFETIME = timedelta(minutes=env.int("JWT_LIFETIME_MINUTES", default=60))
JWT_ISSUER = env.str("JWT_ISSUER", default="satchel")
# An OIDC issuer whose tokens are taken too, as their “iss” has it, and what their “aud” must be; both or neither.
OIDC_ISSUER = env.str("OIDC_ISSUER", default="")
OIDC_AUDIENCE = env.str("OIDC_AUDIENCE", default="")
# Where its keys are; the issuer itself says it if this does not.
OIDC_JWKS_URL = env.str("OIDC_JWKS_URL", default="")
LOGIN_FAILURES_ALLOWED = env.int("LOGIN_FAILURES_ALLOWED", default=10)
LOGIN_FAILURES_WINDOW = timedelta(minutes=env.int("LOGIN_FAILURES_WINDOW_MINUTES", default=5))
# For how many days a new personal API token may be made to work, and how many usable ones a person may have.
API_TOKEN_LIFETIMES_DAYS: list[int] = env.list("API_TOKEN_LIFETIMES_DAYS", cast=int, default=[30, 90, 365])
API_TOKENS_PER_USER_MAX = env.int("API_TOKENS_PER_USER_MAX", default=50)
# How many groups a person may make; administrators make any number, in the admin.
GROUPS_PER_USER_MAX = env.int("GROUPS_PER_USER_MAX", default=20)
# How many bytes the files of a group may have together, where the admin says nothing of the group; 0 for any number.
GROUP_QUOTA_BYTES = max(0, env.int("GROUP_QUOTA_BYTES", default=0))
# How many uploads of a group may be under way at once; 0 for any number.
OPEN_UPLOADS_PER_GROUP_MAX = max(0, env.int("OPEN_UPLOADS_PER_GROUP_MAX", default=50_000))

# --- uploading and verifying ----------------------------------------------------------------------
# Fractions of a minute are for tests; a URL lives for whole seconds, and for one at least.
UPLOAD_URL_LIFETIME = timedelta(seconds=max(1, round(60 * env.float("UPLOAD_URL_LIFETIME_MINUTES", default=30))))
PART_URL_LIFETIME = timedelta(seconds=max(1, round(60 * env.float("PART_URL_LIFETIME_MINUTES", default=24 * 60))))
DOWNLOAD_URL_LIFETIME = timedelta(minutes=env.int("DOWNLOAD_URL_LIFETIME_MINUTES", default=60))
# How long a worker that falls silent keeps a file, and how often a living one says that it is there.
VERIFICATION_LEASE = timedelta(seconds=env.int("VERIFICATION_LEASE_SECONDS", default=60))
VERIFICATION_HEARTBEAT = timedelta(seconds=env.int("VERIFICATION_HEARTBEAT_SECONDS", default=15))
# After so many faults of ours in a row a file is no longer tried, until an admin requeues it.
VERIFICATION_FAULTS_MAX = env.int("VERIFICATION_FAULTS_MAX", default=10)
# From this size on, in bytes, a file waits in a queue of its own, so that small files never wait for it.
LARGE_FILE_BYTES = env.int("LARGE_FILE_BYTES", default=64 * 1024 * 1024)
SWEEP_EVERY = timedelta(seconds=env.int("SWEEP_EVERY_SECONDS", default=10))
SWEEP_STORAGE_EVERY = timedelta(seconds=env.int("SWEEP_STORAGE_EVERY_SECONDS", default=3600))
SWEEP_ORPHANS_EVERY = timedelta(seconds=env.int("SWEEP_ORPHANS_EVERY_SECONDS", default=86_400))
# An upload without activity for this long is given up, its parts aborted.
ABANDONED_AFTER = timedelta(days=max(0, env.int("ABANDONED_AFTER_DAYS", default=7)))
# A file that is attached nowhere is deleted when nothing has happened to it for this long.
UNATTACHED_KEPT = timedelta(days=max(0, env.int("UNATTACHED_KEPT_DAYS", default=30)))
# An object that no file names is deleted at this age. A worker names its copy once it is made, so not below 1.
ORPHANS_KEPT = timedelta(hours=max(1, env.int("ORPHANS_KEPT_HOURS", default=24)))
ACCESSION_PREFIX = env.str("ACCESSION_PREFIX", default="SAT_")
# The largest metadata table and FASTA that a submit may hold, unpacked, in bytes.
TABLE_MAX_BYTES = env.int("TABLE_MAX_BYTES", default=256 * 1024 * 1024)
SEQUENCES_MAX_BYTES = env.int("SEQUENCES_MAX_BYTES", default=1024 * 1024 * 1024)
# The most that an admin may send at a time to see what the rules of a file category make of it, in bytes.
TRY_A_FILE_MAX_BYTES = env.int("TRY_A_FILE_MAX_BYTES", default=1024**3)
DATA_UPLOAD_MAX_MEMORY_SIZE = 64_000_000  # bytes; the largest JSON body, or form parts that are no files
FILE_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024

# --- fixity ---------------------------------------------------------------------------------------
# Accepted files are read again after so long; 0 turns it off.
FIXITY_EVERY = timedelta(days=env.int("FIXITY_EVERY_DAYS", default=90))
# How fast, over all workers; 0 for no limit.
FIXITY_BYTES_PER_SECOND = env.int("FIXITY_MIB_PER_SECOND", default=20) * 1024 * 1024
# How often a run begins, and how long it takes at most, unless a file takes longer.
FIXITY_RUN_EVERY = timedelta(seconds=env.int("FIXITY_RUN_EVERY_SECONDS", default=300))
# Who is told by mail that an accepted file is damaged; the log tells it anyway.
ALARM_EMAILS: list[str] = env.list("ALARM_EMAILS", default=[])
SERVER_EMAIL = env.str("EMAIL_FROM", default="satchel@localhost")
# Needed where there is somebody to tell: an alarm must not get lost for want of a server to send it.
_EMAIL: dict[str, Any] = env.email_url("EMAIL_URL", default=env.NOTSET if ALARM_EMAILS else "dummymail://")
EMAIL_BACKEND = _EMAIL["EMAIL_BACKEND"]
EMAIL_HOST, EMAIL_PORT = _EMAIL["EMAIL_HOST"], _EMAIL["EMAIL_PORT"]
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _EMAIL["EMAIL_HOST_USER"], _EMAIL["EMAIL_HOST_PASSWORD"]
EMAIL_USE_TLS, EMAIL_USE_SSL = _EMAIL.get("EMAIL_USE_TLS", False), _EMAIL.get("EMAIL_USE_SSL", False)
EMAIL_TIMEOUT = 20  # seconds

# --- tasks ----------------------------------------------------------------------------------------
CELERY_BROKER_URL = REDIS_URL
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_IGNORE_RESULT = True
# Acknowledged early: lease and sweeper recover a lost task in seconds, the broker would take hours.
CELERY_TASK_ACKS_LATE = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TASK_DEFAULT_QUEUE = "satchel"
LARGE_FILES_QUEUE = "satchel-large"
SWEEPS_QUEUE = "satchel-sweeps"
# A worker takes from all of them, unless its command line names some.
CELERY_TASK_QUEUES = [Queue(name, routing_key=name) for name in ("satchel", LARGE_FILES_QUEUE, SWEEPS_QUEUE)]
CELERY_TASK_ROUTES = {
    name: {"queue": SWEEPS_QUEUE}
    for name in ("files.tasks.sweep*", "files.tasks.send_files", "files.tasks.check_fixity")
}
# Sending waits a moment for the broker and no longer: the sweeper sends what was not sent.
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0.1}
CELERY_BROKER_TRANSPORT_OPTIONS = {"socket_connect_timeout": 3, "socket_timeout": 30}
CELERY_BEAT_SCHEDULE = {
    # A message that nobody read in time is dropped: the next one says the same.
    "sweep": {
        "task": "files.tasks.sweep",
        "schedule": SWEEP_EVERY.total_seconds(),
        "options": {"expires": 2 * SWEEP_EVERY.total_seconds()},
    },
    "sweep-storage": {
        "task": "files.tasks.sweep_storage",
        "schedule": SWEEP_STORAGE_EVERY.total_seconds(),
        "options": {"expires": SWEEP_STORAGE_EVERY.total_seconds()},
    },
    "sweep-orphans": {
        "task": "files.tasks.sweep_orphans",
        "schedule": SWEEP_ORPHANS_EVERY.total_seconds(),
        "options": {"expires": SWEEP_ORPHANS_EVERY.total_seconds()},
    },
    "check-fixity": {
        "task": "files.tasks.check_fixity",
        "schedule": FIXITY_RUN_EVERY.total_seconds(),
        "options": {"expires": FIXITY_RUN_EVERY.total_seconds()},
    },
}
CELERY_BEAT_SCHEDULE_FILENAME = str(VAR_DIR / "celerybeat-schedule")

# --- the API --------------------------------------------------------------------------------------
# How many calls an account, or an address without one, may make in a minute; 0 for any number.
API_CALLS_PER_MINUTE = max(0, env.int("API_CALLS_PER_MINUTE", default=3_000))
# How many proxies of ours stand in front, each adding the address of who called it to X-Forwarded-For.
PROXIES_IN_FRONT = max(0, env.int("PROXIES_IN_FRONT", default=0))
REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.authentication.BearerAuthentication",
        "accounts.authentication.PageSessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["common.parsing.BodyParser"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "common.negotiation.JSONAlways",
    "DEFAULT_SCHEMA_CLASS": "common.openapi.DescribedSchema",
    # OPTIONS is refused as any other method that is not described.
    "DEFAULT_METADATA_CLASS": None,
    "DEFAULT_THROTTLE_CLASSES": ["common.ratelimits.CallsPerMinute"],
    "EXCEPTION_HANDLER": "common.problems.exception_handler",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
# The document that `GET /api/schema` answers with; what it says stands in each app's api/schema.py.
SPECTACULAR_SETTINGS: dict[str, Any] = {
    "OAS_VERSION": "3.1.0",
    "TITLE": "Satchel",
    "VERSION": "1",
    "DESCRIPTION": "Files alongside pathogen sequences: uploaded straight to the object store, verified, accepted.",
    "SERVERS": [{"url": "/api"}],
    "SCHEMA_PATH_PREFIX": "/api",
    "SCHEMA_PATH_PREFIX_TRIM": True,
    "POSTPROCESSING_HOOKS": [],
    "SORT_OPERATIONS": False,
}

# --- security -------------------------------------------------------------------------------------
SECURE_SSL_REDIRECT = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = HTTPS
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
CSRF_FAILURE_VIEW = "common.error_pages.csrf_failure"
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF, S3_PUBLIC_ENDPOINT_URL],
        "worker-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    },
}

# --- language and logs ----------------------------------------------------------------------------
LANGUAGE_CODE = "en"
USE_I18N = False
TIME_ZONE = "UTC"
USE_TZ = True
LOG_LEVEL = env.str("LOG_LEVEL", default="INFO")
LOG_PROCESSORS: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso"),
    structlog.processors.format_exc_info,
]
LOG_RENDERER: Any = (
    structlog.processors.JSONRenderer()
    if env.bool("LOG_JSON", default=True)
    else structlog.dev.ConsoleRenderer(colors=False)
)
structlog.configure(
    processors=[*LOG_PROCESSORS, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
    logger_factory=structlog.stdlib.LoggerFactory(),
    cache_logger_on_first_use=True,
)
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "events": {
            "()": structlog.stdlib.ProcessorFormatter,
            "foreign_pre_chain": LOG_PROCESSORS,
            "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, LOG_RENDERER],
        },
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "events"}},
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
}
