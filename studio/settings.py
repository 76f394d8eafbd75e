"""Django settings; every environment variable is read through `studio.env`.

Defaults are safe for one person on localhost with no variable set.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import dj_database_url

from experiments.single_sign_on import apps as single_sign_on
from experiments.storage.address import BucketAddress, FolderAddress
from studio import env
from studio.heap import share_heaps
from studio.logs import FORMATS, logging_of

env.use_one_thread()
share_heaps()
BASE_DIR = env.files_root()
STUDIO_HOME: Final[Path] = env.studio_home()
STUDIO_BASE_PATH: Final = env.base_path()
_STORAGE: Final = env.storage_address(STUDIO_HOME)
# Where runs execute; with a folder as storage also where everything is kept.
STUDIO_STORAGE_ROOT: Final[Path] = (
    _STORAGE.path if isinstance(_STORAGE, FolderAddress) else STUDIO_HOME / "storage"
)
STUDIO_STORAGE_BUCKET: Final = _STORAGE if isinstance(_STORAGE, BucketAddress) else None

SECRET_KEY = env.secret_key(STUDIO_HOME)
DEBUG = env.flag("STUDIO_DEBUG")
# The command line and the scripts of this machine come by its own names, whatever others use.
_LOOPBACK: Final = ["localhost", "127.0.0.1", "[::1]"]
ALLOWED_HOSTS = [*env.words("STUDIO_ALLOWED_HOSTS", []), *_LOOPBACK]
FORCE_SCRIPT_NAME = STUDIO_BASE_PATH or None

INSTALLED_APPS = [
    "studio.admin_config.StudioAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels",
    "django_rq",
    "experiments.apps.ExperimentsConfig",
    "runner.apps.RunnerConfig",
]

MIDDLEWARE = [
    "studio.middleware.observed",
    "studio.middleware.client_address",
    "studio.middleware.transport",
    "django.middleware.security.SecurityMiddleware",
    "studio.middleware.safe_headers",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "studio.middleware.LogContext",
    "studio.session_seen.SessionSeen",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "studio.middleware.StorageAway",
]

ROOT_URLCONF = "studio.urls"
ASGI_APPLICATION = "studio.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "experiments.context.studio",
                "studio.trouble.context",
            ],
        },
    }
]

# --- database -------------------------------------------------------------------------------
_SQLITE_OPTIONS: Final[dict[str, Any]] = {
    "timeout": 20,
    # A transaction that reads first and writes later would fail at once under DEFERRED.
    "transaction_mode": "IMMEDIATE",
    "init_command": (
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; "
        "PRAGMA journal_size_limit=27103364; PRAGMA cache_size=500; PRAGMA mmap_size=134217728;"
    ),
}

# A machine that loses its network holds the locks of its transaction until the server gives its
# connection up, by itself after two hours. Half a minute is the time in which a run is lost.
_POSTGRES_OPTIONS: Final[dict[str, Any]] = {
    "connect_timeout": 10,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 25_000,  # milliseconds
    "options": (
        "-c idle_in_transaction_session_timeout=20s -c tcp_user_timeout=25s "
        "-c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3"
    ),
}


def _database() -> dict[str, Any]:
    config: dict[str, Any] = dict(dj_database_url.parse(env.database_url(STUDIO_HOME)))
    if config["ENGINE"].endswith("sqlite3"):
        config["OPTIONS"] = _SQLITE_OPTIONS
        config["TEST"] = {"NAME": str(STUDIO_HOME / "test.sqlite3")}
    elif config["ENGINE"].endswith("postgresql"):
        config["OPTIONS"] = _POSTGRES_OPTIONS | config.get("OPTIONS", {})
    return config


DATABASES = {"default": _database()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Redis: queues, live hints, cache ---------------------------------------------------------
REDIS_URL: Final = env.redis_url(STUDIO_HOME)
RQ_QUEUES = {
    "default": {"URL": REDIS_URL, "SERIALIZER": "rq.serializers.JSONSerializer"},
}
RQ_SHOW_ADMIN_LINK = False
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        # redis-py gives up on an idle connection after 5 s unless told not to.
        "CONFIG": {"hosts": [{"address": REDIS_URL, "socket_timeout": None}]},
    }
}
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}
}

# --- accounts ---------------------------------------------------------------------------------
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
] + [{"NAME": "experiments.services.passwords.NewPasswordEndsSessions"}]
# Of links that set a new password; each works once.
PASSWORD_RESET_TIMEOUT = 2 * 3600
LOGIN_URL = "sign_in"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "sign_in"
SESSION_COOKIE_PATH = CSRF_COOKIE_PATH = STUDIO_BASE_PATH or "/"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

# --- single sign-on: docs/reference/accounts.md ---------------------------------------------------
STUDIO_OIDC: Final = env.oidc()
if STUDIO_OIDC is not None:
    INSTALLED_APPS += single_sign_on.APPS
    MIDDLEWARE += [single_sign_on.MIDDLEWARE]
    globals().update(single_sign_on.SETTINGS)

# --- static files -----------------------------------------------------------------------------
STATIC_URL = f"{STUDIO_BASE_PATH}/static/"
STATIC_ROOT = STUDIO_HOME / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.FileSystemFinder",
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
    "studio.storage.PlotlyFinder",
]
# Nothing of the studio is for the pages of other sites.
WHITENOISE_ALLOW_ALL_ORIGINS = False
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "studio.storage.StudioStaticFilesStorage"},
}

# --- language and time ------------------------------------------------------------------------
LANGUAGE_CODE = "en"
USE_I18N = False
TIME_ZONE = "UTC"
USE_TZ = True

# --- notifications: docs/reference/notifications.md -----------------------------------------------
STUDIO_MAIL_SERVER: Final = env.mail_server()
STUDIO_PUBLIC_URL: Final = env.public_url()
# Webhooks may go to this machine and to private networks.
STUDIO_WEBHOOK_PRIVATE: Final = env.flag("STUDIO_WEBHOOK_PRIVATE")
EMAIL_TIMEOUT = 15
if STUDIO_MAIL_SERVER is None:
    EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
else:
    EMAIL_HOST, EMAIL_PORT = STUDIO_MAIL_SERVER.host, STUDIO_MAIL_SERVER.port
    EMAIL_HOST_USER = STUDIO_MAIL_SERVER.user
    EMAIL_HOST_PASSWORD = STUDIO_MAIL_SERVER.password
    EMAIL_USE_TLS = STUDIO_MAIL_SERVER.uses_starttls
    EMAIL_USE_SSL = STUDIO_MAIL_SERVER.uses_tls
    DEFAULT_FROM_EMAIL = SERVER_EMAIL = STUDIO_MAIL_SERVER.sender

# --- TLS: docs/deploy.md --------------------------------------------------------------------------
# The studio itself speaks HTTP; a proxy in front of it speaks TLS, and this address says so.
STUDIO_TLS: Final = STUDIO_PUBLIC_URL.startswith("https://")
# Without this, cookies of a request that came over TLS are secure none the less
# (studio.middleware.transport); with it also behind a proxy that forgets X-Forwarded-Proto.
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = STUDIO_TLS
CSRF_TRUSTED_ORIGINS = [env.origin_of(STUDIO_PUBLIC_URL)] if STUDIO_TLS else []
# Sent over TLS alone. It is a promise of the whole host, so an operator may take it back with 0.
SECURE_HSTS_SECONDS = env.count("STUDIO_HSTS_SECONDS", 365 * 24 * 3600, most=63_072_000)
SILENCED_SYSTEM_CHECKS = [
    # A redirect to TLS is the proxy's: command line, scripts and workers of this machine and its
    # network use HTTP, and whoever sent a token without TLS is not helped by an answer.
    "security.W008",
    # The names below the studio's own and the lists of browsers belong to whoever owns the domain.
    "security.W005",
    "security.W021",
]

# --- limits of uploads and of running things (seconds, bytes) -----------------------------------
# Of what a form or a JSON body holds; studio/body_limits.py knows where files may be larger.
DATA_UPLOAD_MAX_MEMORY_SIZE = 10 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5000
DATA_UPLOAD_MAX_NUMBER_FILES = 10
STUDIO_LEASE_SECONDS: Final = 20
STUDIO_HEARTBEAT_SECONDS: Final = 5
STUDIO_LEASE_GRACE_SECONDS: Final = 40
STUDIO_TAIL_SECONDS: Final = 0.2
STUDIO_CANCEL_POLL_SECONDS: Final = 1.0
STUDIO_STOP_GRACE_SECONDS: Final = 10
STUDIO_WATCHDOG_SECONDS: Final = 5
# How long worker and watchdog wait at their start for a database or Redis that is away.
STUDIO_SERVER_SECONDS: Final = 60
STUDIO_MAX_LOG_BYTES: Final = 20 * 1000 * 1000
STUDIO_MAX_OUTPUT_BYTES: Final = 10 * 1000 * 1000 * 1000
# A worker takes no run while the disk of the runs has less free space than this.
STUDIO_MIN_FREE_BYTES: Final = 200 * 1000 * 1000
STUDIO_MAX_RETRIES: Final = 2
# After so many days in the trash a sweep is deleted for good; 0: only people delete.
STUDIO_TRASH_DAYS: Final = env.count("STUDIO_TRASH_DAYS", 30, most=36500)
# Requests of REST a minute: of each token or person, and of each address without valid credentials.
STUDIO_RATE_LIMIT: Final = env.count("STUDIO_RATE_LIMIT", 6000, most=1_000_000)
STUDIO_RATE_LIMIT_STRANGERS: Final = env.count("STUDIO_RATE_LIMIT_STRANGERS", 1200, most=1_000_000)
# How long a worker on another machine waits for a studio that does not take its files.
STUDIO_TRANSFER_SECONDS: Final = 600

# --- what is observed (docs/reference/observe.md) -------------------------------------------------
LOGGING = logging_of(env.one_of("STUDIO_LOG_FORMAT", FORMATS))
# All requests in the log, or only those that failed or took long.
STUDIO_LOG_REQUESTS: Final = env.flag("STUDIO_LOG_REQUESTS")
# What opens /metrics to a scraper without an account.
STUDIO_METRICS_TOKEN: Final = env.secret("STUDIO_METRICS_TOKEN")
