"""Secrets of no vendor: keys, tokens and passwords that are assigned to a name, JWTs, private keys, cookies, URLs."""

from agen_authz.core.masking.assignment import assigned, next_to, quoted, starting
from agen_authz.core.masking.catalog.login import PASSWORD_FIELDS, PASSWORD_LABELS
from agen_authz.core.masking.entropy import (
    is_basic,
    is_cookie,
    is_encoded_jwt,
    is_given,
    is_jwt,
    is_key_material,
    is_long_secret,
    is_password,
    is_quoted_password,
    is_secret,
    random,
)
from agen_authz.core.masking.gap import before
from agen_authz.core.masking.row import At, Detector, Label, Preset

_SECRETS = frozenset({Preset.SECRETS})
# No blank in it: a description of a key is none.
_ONE_WORD = r"^\s*[^\s<>{}$]{8,}\s*$"
_LONG_WORD = r"^\s*[^\s<>{}$]{12,}\s*$"
_PEM_REACH = 16384


def _spellings(*names: str) -> tuple[str, ...]:
    return tuple(
        name.replace(" ", between) for name in names for between in (("_", "-", " ", "") if " " in name else ("",))
    )


API_KEY = Detector(
    id="api_key",
    title="Keys of any service, by the name that they are assigned to",
    presets=_SECRETS,
    labels=(
        assigned(
            _spellings("api key", "app key", "access key", "auth key", "application key", "master key", "account key",
                       "encryption key", "signing key", "subscription key", "service key", "deploy key", "shared key"),
            r"(?:api|app|access|auth|application|master|account|encryption|signing|subscription|service|deploy|shared)"
            r"[ _-]?keys?(?:[ _-]?id)?",
            is_secret,
        ),
        quoted(_spellings("api key"), r"api[ _-]?key", is_secret, least=10),
        *next_to(("api key", "app key", "access key", "auth key", "api token", "apikey"), is_secret),
    ),
    fields=("api key", "app key", "access key", "auth key", "=application key", "master key", "account key",
            "encryption key", "signing key", "subscription key", "=service key", "shared key", "x api key"),
    field_pattern=_ONE_WORD,
    aliases=("vendor_api_key", "generic_api_key"),
)  # fmt: skip

SECRET = Detector(
    id="secret",
    title="Secrets of any service, by the name that they are assigned to",
    presets=_SECRETS,
    labels=(
        assigned(("secret",), r"secret(?:[ _-]?key)?(?:[ _-]?base)?", is_secret),
        assigned(_spellings("credential", "credentials"), "credentials?", is_secret),
        quoted(_spellings("client secret", "app secret", "secret key"), r"(?:client|app)[ _-]?secret|secret[ _-]?key",
               is_secret, least=10),
        *next_to(("secret", "secret key"), is_secret),
    ),
    fields=("client secret", "app secret", "application secret", "api secret", "consumer secret", "shared secret",
            "signing secret", "webhook secret", "secret key", "secret key base", "jwt secret", "session secret",
            "cookie secret", "access secret", "oauth secret", "secret value", "=secret", "hmac secret"),
    field_pattern=_ONE_WORD,
)  # fmt: skip

# What has `token` in its name, and says where a list continues, how far a task is, or how a text is cut: ends of the
# word before it, next to it or with a separator between.
_NO_TOKEN = (
    "next", "page", "ation", "gress", "sync", "ursor", "sume", "tart", "prev", "ious", "scroll", "elta", "last",
    "more", "max", "vice", "push", "stop", "seek", "sep", "unk", "mask", "eos", "bos", "pad", "skip", "nue",
)  # fmt: skip
_BEFORE_TOKEN = "".join(f"(?<!{word})(?<!{word}[ _-])" for word in _NO_TOKEN)
_BEHIND_NO_TOKEN = "".join(f"(?<!{word}token)(?<!{word}[ _-]token)" for word in _NO_TOKEN)
# In camel case the word does not begin with `token`.
_TOKENS = (
    "access", "refresh", "auth", "authentication", "authorization", "api", "id", "bearer", "oauth", "user",
    "private", "security", "deploy", "reset", "verification", "invitation", "registration", "activation",
    "confirmation", "service", "webhook", "login", "personal", "secret", "app", "admin", "bot", "install",
    "installation",
)  # fmt: skip
TOKEN = Detector(
    id="token",
    title="Tokens of any service, by the name that they are assigned to",
    presets=_SECRETS,
    labels=(
        assigned(
            ("token",),
            rf"{_BEFORE_TOKEN}token(?![sA-Z])",
            is_secret,
        ),
        assigned(
            tuple(f"{kind}token" for kind in _TOKENS),
            rf"(?:{'|'.join(_TOKENS)})token(?![sA-Z])",
            is_secret,
        ),
        *next_to(("token",), is_secret, unlike=_BEHIND_NO_TOKEN),
    ),
    fields=("access token", "refresh token", "auth token", "authentication token", "authorization token", "api token",
            "bearer token", "oauth token", "id token", "security token", "personal access token", "private token",
            "user token", "deploy token", "verification token", "reset token", "invitation token", "=token",
            "service token", "secret token", "webhook token", "x auth token", "jwt token", "login token"),
    field_pattern=_LONG_WORD,
)  # fmt: skip

_NAME = (
    r"(?:password|passwort|passwd|passcode|passphrase|pass[_-]?phrase|kennwort|contrase(?:\u00f1|n)a|mot de passe|"
    r"senha|wachtwoord|pwd)"
)
_NAMES = (
    "password", "passwort", "passwd", "passcode", "passphrase", "pass_phrase", "pass-phrase", "kennwort",
    "contrase\u00f1a", "contrasena", "mot de passe", "senha", "wachtwoord", "pwd",
)  # fmt: skip
PASSWORD = Detector(
    id="password",
    title="Passwords, by the name that they are assigned to",
    presets=_SECRETS,
    labels=(
        assigned(_NAMES, _NAME, is_password, least=4),
        quoted(_NAMES, _NAME, is_quoted_password),
        # In a connection string there is nothing but the password.
        starting(
            ("password=", "pwd="),
            r"(?:(?<=;)|(?<=; ))(?i:password|pwd)=\s?[\"']?([^;\"'\s]{1,128})",
            check=is_given,
            score=0.9,
        ),
        starting(
            ("curl ",),
            r"curl [^\n|;]{0,200}?(?<=\s)(?:-u|--user)[\s=]{1,3}[\"']?[^\s:\"']{1,100}:([^\s\"']{3,200})",
            check=is_given,
            score=0.9,
        ),
        # A line of ~/.netrc.
        starting(("machine ",), r"machine\s\S{1,200}\s+login\s\S{1,200}\s+password\s(\S{3,200})", check=is_given),
        # As people write it, in five languages.
        *PASSWORD_LABELS,
    ),
    fields=PASSWORD_FIELDS,
    field_pattern=r"\S",
    aliases=("PASSWORD",),
)  # fmt: skip

# Without http and https: `url_userinfo` has those.
_SCHEMES = (
    "ftp", "ftps", "sftp", "ssh", "git", "smb", "ldap", "ldaps", "smtp", "smtps", "imap", "imaps",
    "amqp", "amqps", "mqtt", "mqtts", "nats", "kafka", "stomp", "tcp", "redis", "rediss", "valkey", "memcached",
    "mysql", "mariadb", "mongodb", "srv", "postgres", "postgresql", "pgsql", "cockroachdb", "mssql", "sqlserver",
    "oracle", "db2", "clickhouse", "cassandra", "couchdb", "couchbase", "neo4j", "bolt", "influxdb",
    "elasticsearch", "opensearch", "snowflake", "redshift", "trino", "presto", "hive", "socks5", "socks5h", "proxy",
    "rtsp", "vnc", "rdp", "psycopg2", "psycopg", "asyncpg", "pymysql", "mysqldb", "aiomysql", "mysqlconnector",
    "pyodbc", "pymssql", "cx_oracle", "oracledb", "libsql", "jdbc", "odbc", "turso",
)  # fmt: skip
CONNECTION = Detector(
    id="connection_string",
    title="Passwords in URLs: of databases, queues and other servers",
    presets=_SECRETS,
    labels=(
        starting(
            tuple(f"{scheme}://" for scheme in _SCHEMES),
            # Up to the last `@` before the path; a password may have a slash in it if what follows is a host.
            r"[a-z0-9_]{3,16}://[^\s:/@\"'<>`]{0,120}+:([^\s/\"'<>`]{1,200}|(?!\d{1,5}/)[^\s\"'<>`?]{1,200}?(?=@[\w.-]{1,120}[:/]))@(?=[\w\[])",
            check=is_given,
            score=0.9,
        ),
    ),
)

AUTHORIZATION = Detector(
    id="authorization_header",
    title="Credentials of HTTP: Authorization, Basic, Bearer",
    presets=_SECRETS,
    labels=(
        assigned(("authorization",), r"authorization", is_long_secret, least=16),
        starting(
            ("authorization",),
            r"(?i:authorization)[\\\"'\]]{0,4}\s{0,3}[:=,]?[\s\\\"']{0,4}(?:is )?(?:[A-Za-z]{2,16}[ ]{1,3})"
            r"(?:token=|key=)?([A-Za-z0-9+/_.~=:%-]{16,4000})",
            check=is_long_secret,
            reach=4100,
        ),
        starting(
            ("bearer ",), r"(?i:bearer) {1,3}([A-Za-z0-9+/_.~%-]{16,4000}={0,2})", check=is_long_secret, reach=4100
        ),
        starting(
            ("basic ",), r"(?<![A-Za-z0-9])(?i:basic) {1,3}([A-Za-z0-9+/_-]{6,600}={0,2})", check=is_basic, reach=620
        ),
    ),
    fields=("=authorization", "=proxy authorization", "authorization header"),
    field_pattern=r"\S{6,}",
)

_SESSIONS = (
    "phpsessid", "jsessionid", "asp.net_sessionid", "connect.sid", "laravel_session", "csrftoken", "xsrf-token",
    "_session=", "session-token=", "sessionid=", "sessionid:", "session_id=", "session_key=", "sid=",
)  # fmt: skip
COOKIE = Detector(
    id="session_cookie",
    title="Cookies, and ids of sessions that a browser holds",
    presets=_SECRETS,
    labels=(
        starting(
            ("cookie:", "cookie\":", "cookie=", "cookie'", "cookie :"),
            r"(?i:cookie)[\\\"']{0,4}\s{0,3}[:=]\s{0,3}[\\\"']{0,4}"
            r"([\w.$-]{1,60}=[^\s;\"'\\]{0,3000}(?:;[ ]?[\w.$-]{1,60}(?:=[^;\"'\\\r\n]{0,3000})?){0,40})",
            check=is_cookie,
            reach=4200,
            score=0.9,
        ),
        starting(
            _SESSIONS,
            r"(?i:phpsessid|jsessionid|asp\.net_sessionid|connect\.sid|laravel_session|csrftoken|xsrf-token|_session|"
            r"session-token|session_?id|session_key|(?<![a-z])sid)[:=]\s?([A-Za-z0-9%._~+/:-]{16,1000})",
            check=is_long_secret,
            reach=1100,
            score=0.9,
        ),
        assigned(_spellings("session token", "session cookie", "session key", "csrf token", "xsrf token"),
                 r"(?:session[ _-]?(?:token|cookie|key)|[cx]srf[ _-]?token)", is_long_secret, least=16),
    ),
    fields=("=cookie", "=cookies", "set cookie", "session cookie", "session token", "session key", "csrf token",
            "xsrf token", "=phpsessid", "=jsessionid", "=sid"),
    field_pattern=r"[^\s;]{12,}",
)  # fmt: skip

OTP = Detector(
    id="otp_secret",
    title="Secrets of one-time passwords: otpauth URIs, TOTP seeds",
    presets=_SECRETS,
    labels=(
        starting(
            ("otpauth://", "otpauth-migration://"),
            r"otpauth(?:-migration)?://[^\s\"'<>{}`\\]{8,2000}",
            check=is_given,
            reach=2100,
        ),
        starting(
            ("totp", "otp", "2fa", "mfa", "authenticator", "two-factor", "two_factor"),
            r"(?:[\w.]|-(?!>)){2,40}+(?: [A-Za-z]{1,12}){0,3}?[\"'\\]{0,4}\s{0,4}(?:[:=|,>]{1,2}|is)\s{0,4}[\"'\\]{0,4}"
            r"([A-Z2-7]{16,128}={0,6}|(?:[A-Za-z2-7]{4}[ -]){3,15}[A-Za-z2-7]{4})(?![A-Za-z0-9])",
            check=random(2.6),
            score=0.85,
        ),
    ),
    fields=(
        "totp secret",
        "otp secret",
        "mfa secret",
        "totp seed",
        "otp seed",
        "otpauth url",
        "otpauth uri",
        "totp uri",
    ),
    field_pattern=r"\S{8}",
)

_CODES = (
    "verification code", "one-time code", "one time code", "one-time password", "one-time passcode", "otp",
    "login code", "sign-in code", "authentication code", "2fa code", "security passcode", "backup code",
    "recovery code", "confirmation pin", "access code",
)  # fmt: skip
ONE_TIME_CODE = Detector(
    id="one_time_code",
    title="One-time codes and backup codes that log someone in",
    presets=_SECRETS,
    labels=(
        starting(
            _CODES,
            r"[\w\- ]{3,40}?(?:\s(?:is|lautet)|[:=])[ :]{0,3}[\"']?((?:G-)?[0-9]{6,8}|[0-9]{3,4}[ -][0-9]{3,4}|"
            r"[a-z0-9]{4,5}-[a-z0-9]{4,5})(?![A-Za-z0-9.,]?[0-9A-Za-z-])",
            check=lambda value: any(each.isdigit() for each in value),
            score=0.9,
        ),
        Label(_CODES, r"\s([0-9]{6,8}|[0-9]{3}[ -][0-9]{3})(?![\w%-]|[.,]\w)", 0.7),
        before(_CODES, r"[0-9]{6,8}|[0-9]{3}[ -][0-9]{3}", 0.8),
    ),
    fields=("verification code", "one time code", "one time password", "otp code", "login code", "backup codes",
            "recovery codes", "=otp", "mfa code"),
    field_pattern=r"[0-9]",
)  # fmt: skip

JWT = Detector(
    id="jwt",
    title="JSON Web Tokens",
    presets=_SECRETS,
    labels=(
        starting(
            ("eyj",),
            r"eyJ[A-Za-z0-9_-]{8,4000}\.(?:eyJ[A-Za-z0-9_-]{4,8000}(?:\.[A-Za-z0-9_-]{0,1500})?|"
            r"[A-Za-z0-9_-]{0,1500}(?:\.[A-Za-z0-9_-]{1,8000}){3})",
            check=is_jwt,
            reach=8192,
        ),
        starting(("zxlk",), r"ZXlK[A-Za-z0-9+/_-]{30,8000}={0,2}", check=is_encoded_jwt, reach=8192),
    ),
    fields=("=jwt", "json web token"),
    field_pattern=r"\S{8}",
)

_BODY = r"(?:[^-]|-(?!----[ ]?(?:BEGIN|END))){0,16384}+"
PRIVATE_KEY = Detector(
    id="private_key",
    title="Private keys: PEM, SSH, PGP, PuTTY, age, JWK, XML",
    presets=_SECRETS,
    labels=(
        # A key without its end is masked up to where this label may look.
        starting(
            ("-----begin", "---- begin"),
            r"-{4,5} ?BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?(?: ?-{4,5})?"
            + _BODY
            + r"(?:-{4,5} ?END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)? ?-{4,5})?",
            check=is_key_material,
            reach=_PEM_REACH,
        ),
        starting(
            ("putty-user-key-file",),
            r"PuTTY-User-Key-File-\d:[\s\S]{0,12000}?Private-Lines:\s{0,4}\d{1,3}([\s\S]{16,8000}?)(?:Private-MAC|\Z)",
            reach=_PEM_REACH,
        ),
        starting(("age-secret-key-",), "AGE-SECRET-KEY-(?:PQ-)?1[A-Z0-9]{58,90}"),
        starting(
            ("<rsakeyvalue>",),
            r"(?i:<rsakeyvalue>)[\s\S]{0,6000}?(<P>[\s\S]{16,6000}?)</RSAKeyValue>",
            reach=_PEM_REACH,
        ),
        assigned(_spellings("private key", "privkey"), r"(?:private[ _-]?key|privkey)", is_long_secret, least=16),
    ),
    fields=(
        "private key",
        "privkey",
        "secret key pem",
        "=d",
        "=dp",
        "=dq",
        "=qi",
        "ssh private key",
        "private key pem",
    ),
    field_pattern=r"[A-Za-z0-9+/_-]{32}",
    aliases=("ssh_private_key", "pgp_private_key"),
)

_ENTRY = r"(?:[ \t]{1,16}[\w.-]{1,253}:[ \t]{1,4}[^\s]{1,4000}[ \t]{0,4}\n?)"
KUBERNETES = Detector(
    id="kubernetes_secret",
    title="What a Kubernetes Secret holds, in YAML",
    presets=_SECRETS,
    labels=(
        starting(
            ("kind: secret",),
            r"kind: Secret[ \t]*\n(?:[^\n]{0,500}\n){0,60}?(?:data|stringData):[ \t]*\n(" + _ENTRY + r"{1,60}+)",
            check=None,
            reach=8000,
        ),
        Label(
            words=("kind: secret",),
            pattern=r"(?<![A-Za-z])(?:data|stringData):[ \t]*\n("
            + _ENTRY
            + r"{1,60}+)(?:[^\s-][^\n]{0,500}\n){0,3}?kind: Secret",
            score=0.95,
            at=At.AROUND,
            reach=6000,
        ),
    ),
)

ROWS: tuple[Detector, ...] = (
    API_KEY,
    SECRET,
    TOKEN,
    PASSWORD,
    CONNECTION,
    AUTHORIZATION,
    COOKIE,
    OTP,
    ONE_TIME_CODE,
    JWT,
    PRIVATE_KEY,
    KUBERNETES,
)
