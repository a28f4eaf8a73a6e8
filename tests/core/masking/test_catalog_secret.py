"""Secrets are found by their prefixes, by the names that they are assigned to, and by what is around them."""

import re
from base64 import b64encode, urlsafe_b64encode

from agen_authz.core.masking import Detectors, detect
from agen_authz.core.masking.catalog import secret_cloud, secret_code, secret_generic, secret_saas, secret_work
from agen_authz.core.masking.row import Preset, Style
from tests.core.masking.every import every
from tests.core.masking.secret_case import B64, HEX, LOWER, NAMED, PREFIXED, SPELLINGS, UPPER, URL_SAFE, mix, uuid

FILES = (secret_cloud, secret_code, secret_generic, secret_saas, secret_work)
ROWS = [row for file in FILES for row in file.ROWS]
SECRETS = Detectors.of(*(row.id for row in ROWS))


def find(text, *path):
    """List what is found: the detector and the value."""
    return [(each.detector, text[each.start : each.end]) for each in detect(text, SECRETS, path=path)]


def covers(text, value, detector):
    """True if this detector finds all of this value, and nothing else of the text."""
    return (detector, value) in find(text)


@every(("detector", "value"), PREFIXED)
@every("text", ["{}", "see {} here", '"{}"', "key={}&x=1", "a\n{}\nb", "({}),", "<b>{}</b>"])
def test_key_with_a_prefix_is_found_next_to_anything(detector, value, text):
    assert covers(text.format(value), value, detector)


@every(("detector", "value"), PREFIXED)
def test_placeholder_in_the_form_of_a_key_is_left(detector, value):
    kept = len(value) * 2 // 5
    text = value[:kept] + "x" * (len(value) - kept)
    assert (detector, text) not in find(text)


@every(("detector", "name", "value"), NAMED)
@every("spelling", SPELLINGS)
def test_value_is_found_by_its_name_in_every_spelling(detector, name, value, spelling):
    text = spelling.format(name=name, value=value)
    assert any(value in found for _, found in find(text)), find(text)


@every(("detector", "name", "value"), NAMED)
def test_name_tells_which_secret_it_is(detector, name, value):
    assert covers(f'{name}="{value}"', value, detector)


JOSE = urlsafe_b64encode(b'{"alg":"HS256","typ":"JWT"}').rstrip(b"=").decode()
CLAIMS = urlsafe_b64encode(b'{"sub":"7","name":"A B"}').rstrip(b"=").decode()
SIGNED = f"{JOSE}.{CLAIMS}.{mix(43, URL_SAFE)}"


@every(
    "value",
    [
        SIGNED,
        f"{JOSE}.{CLAIMS}.",
        f"{JOSE}.{CLAIMS}",
        urlsafe_b64encode(b'{"alg":"dir","enc":"A256GCM"}').decode().rstrip("=") + f"..{mix(16)}.{mix(80)}.{mix(22)}",
    ],
)
def test_jwt_is_found(value):
    assert covers(f"Got {value} back", value, "jwt")


def test_token_of_an_npmrc_is_found():
    assert ("package_token", uuid()) in find(f"//registry.example.com/:_authToken={uuid()}")


def test_base64_of_json_that_is_no_jose_header_is_left():
    text = urlsafe_b64encode(b'{"page":12,"size":40}').decode().rstrip("=") + "." + CLAIMS
    assert find(text) == []


LINES = "\n".join(mix(64, B64, seed) for seed in range(1, 9))


@every(
    "kind",
    ["RSA PRIVATE KEY", "PRIVATE KEY", "EC PRIVATE KEY", "OPENSSH PRIVATE KEY", "ENCRYPTED PRIVATE KEY",
     "PGP PRIVATE KEY BLOCK", "DSA PRIVATE KEY"],
)  # fmt: skip
def test_private_key_is_found_from_begin_to_end(kind):
    value = f"-----BEGIN {kind}-----\n{LINES}\n-----END {kind}-----"
    assert find(f"Key:\n{value}\nThanks") == [("private_key", value)]


def test_private_key_in_one_line_is_found():
    value = "-----BEGIN PRIVATE KEY-----\\n" + LINES.replace("\n", "\\n") + "\\n-----END PRIVATE KEY-----"
    assert find(f'"{value}\\n"') == [("private_key", value)]


def test_two_private_keys_are_found_apart():
    value = f"-----BEGIN PRIVATE KEY-----\n{LINES}\n-----END PRIVATE KEY-----"
    assert find(f"{value}\nand text between\n{value}") == [("private_key", value)] * 2


def test_private_key_without_its_end_is_found_to_the_end_of_the_text():
    value = f"-----BEGIN PRIVATE KEY-----\n{LINES}\nand so on"
    assert find(f"cut: {value}") == [("private_key", value)]


def test_private_key_of_putty_is_found():
    value = f"\n{LINES}\n"
    text = (
        f"PuTTY-User-Key-File-3: ssh-ed25519\nPublic-Lines: 1\nAAAA\nPrivate-Lines: 8{value}Private-MAC: {mix(64, HEX)}"
    )
    assert find(text) == [("private_key", value)]


def test_prose_about_private_keys_and_certificates_are_left():
    text = f"It begins with -----BEGIN PRIVATE KEY----- and has lines.\n-----BEGIN CERTIFICATE-----\n{LINES}"
    assert find(text) == []


@every(
    ("text", "value"),
    [
        ("postgres://app:{}@db.internal:5432/main", "s3cr3t"),
        ("postgresql+psycopg2://app:{}@localhost/main", "hunter2"),
        ("mongodb+srv://admin:{}@cluster0.abcde.mongodb.net/?retryWrites=true", "p%40ss"),
        ("redis://:{}@cache:6379/0", "longpassword"),
        ("amqp://guest:{}@mq//", "guest"),
        ("mysql://root:{}@127.0.0.1/x", "root"),
        ("postgres://u:{}@host:5432/db", "a/b+c=d"),
        ("postgres://u:{}@host/db", "a@b:c"),
        ("ssh://deploy:{}@git.example.com/a.git", "abc123"),
        ('DATABASE_URL="postgres://u:{}@[::1]/db"', "pw"),
        ("jdbc:sqlserver://h;user=sa;password={};encrypt=true", "Pa55w0rd!"),
        ("Server=db;Database=x;User Id=sa;Password={};", "secret"),
        ("Server=db;Uid=sa;Pwd={}", "admin"),
        ('curl -sS -u "admin:{}" https://x.example', "letmein"),
        ("machine host.example login me password {}", "letmein"),
    ],
)
def test_password_in_a_connection_is_found(text, value):
    found = find(text.format(value))
    assert any(each == value for _, each in found), found


@every(
    "text",
    [
        "https://example.com:8080/a/b@c",
        "https://example.com/a:b@c/d",
        "http://[::1]:8080/x",
        "postgres://user:${DB_PASSWORD}@host/db",
        "postgres://user:<password>@host/db",
        "postgres://user:{password}@host/db",
        "postgres://user:****@host/db",
        "postgres://user@host/db",
        "ssh://git@host.example/a.git",
        "mailto:a@b.example",
        "https://medium.com/@someone/post:1",
        "Server=db;Password=${PW};",
    ],
)
def test_url_without_a_password_is_left(text):
    assert find(text) == []


BASIC = b64encode(b"aladdin:open sesame").decode()


@every(
    ("text", "value"),
    [
        ("Authorization: Basic {}", BASIC),
        ('"Authorization": "{}"', "Bearer " + mix(40)),
        ("curl -H 'Authorization: Bearer {}' https://x", mix(32, HEX)),
        ("authorization: token {}", mix(40)),
        ("Authorization={}", mix(40)),
        ("use bearer {} for it", mix(32)),
        ("Basic {}", BASIC),
    ],
)
def test_credentials_of_http_are_found(text, value):
    assert ("authorization_header", value) in find(text.format(value))


@every(
    "text",
    [
        "Authorization: Bearer <token>",
        "Authorization: Bearer $TOKEN",
        "Authorization: Bearer ${TOKEN}",
        "Authorization: Bearer YOUR_ACCESS_TOKEN",
        "Authorization: Bearer your-token-goes-here",
        "Bearer authentication is required",
        "Basic information about it",
        "Authorization: required for all endpoints",
    ],
)
def test_placeholder_in_a_header_is_left(text):
    assert find(text) == []


def test_cookies_are_found():
    value = f"theme=dark; sid={mix(32)}; Path=/; HttpOnly"
    assert find(f"Set-Cookie: {value}") == [("session_cookie", value)]


@every("text", ["Set-Cookie: theme=dark; Path=/", "Cookie: a=1; b=2", "cookie: chocolate"])
def test_cookies_without_a_secret_are_left(text):
    assert find(text) == []


def test_session_of_a_browser_is_found():
    assert covers(f"x?PHPSESSID={mix(26, LOWER)}", mix(26, LOWER), "session_cookie")


def test_otpauth_uri_is_found():
    value = "otpauth://totp/Acme:a@b.example?secret=" + mix(32, UPPER) + "&issuer=Acme"
    assert covers(f"scan {value} now", value, "otp_secret")


@every(
    ("text", "value"),
    [
        ("Your verification code is {}.", "493817"),
        ("OTP: {}", "493817"),
        ("one-time code: {}", "493 817"),
        ("recovery code: {}", "4f9a2-bc71d"),
        ("Google verification code: {}", "G-493817"),
    ],
)
def test_one_time_code_is_found(text, value):
    assert find(text.format(value)) == [("one_time_code", value)]


def test_values_of_a_kubernetes_secret_are_found():
    held = f"  password: {b64encode(b'hunter2').decode()}\n  user: {b64encode(b'admin').decode()}\n"
    after = f"apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\ntype: Opaque\ndata:\n{held}"
    before = f"apiVersion: v1\ndata:\n{held}kind: Secret\nmetadata:\n  name: db\n"
    assert covers(after, held, "kubernetes_secret")
    assert covers(before, held, "kubernetes_secret")


def test_kubernetes_config_map_is_left():
    assert find("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: db\ndata:\n  level: debug\n") == []


@every(
    ("name", "value", "detector"),
    [
        ("apiKey", mix(12), "api_key"),
        ("x-api-key", mix(12), "api_key"),
        ("client_secret", mix(12), "secret"),
        ("accessToken", mix(12), "token"),
        ("token", mix(12), "token"),
        ("password", "correct horse", "password"),
        ("dbPassword", "letmein", "password"),
        ("privateKey", mix(43, URL_SAFE), "private_key"),
        ("d", mix(43, URL_SAFE), "private_key"),
        ("Authorization", "Custom abcdef", "authorization_header"),
        ("sessionToken", mix(20), "session_cookie"),
        ("totpSecret", mix(16, UPPER), "otp_secret"),
        ("verification_code", "1234", "one_time_code"),
        ("SecretAccessKey", mix(40, B64), "aws_key"),
    ],
)
def test_member_s_name_is_enough(name, value, detector):
    assert (detector, value) in find(value, name)


@every(
    "name",
    ["nextToken", "pageToken", "next_page_token", "progressToken", "continuation_token", "cursor", "nextCursor", "key",
     "tokens", "max_tokens", "tokenCount", "primary_key", "keyId", "etag", "sha", "session_id", "secretName"],
)  # fmt: skip
def test_member_with_another_meaning_is_left(name):
    assert find(mix(40), name) == []


@every(
    "name",
    ["nextToken", "NextToken", "next_token", "nextPageToken", "pageToken", "progressToken", "continuationToken",
     "continuation_token", "pagination_token", "cursor", "sync_token", "resumeToken", "max_tokens", "startToken"],
)  # fmt: skip
@every("spelling", SPELLINGS)
def test_token_that_says_where_a_list_goes_on_is_left(name, spelling):
    assert find(spelling.format(name=name, value=mix(40))) == []


@every(
    "value",
    ["xxxxxxxxxxxxxxxx", "changeme", "change-me-please", "<token>", "${TOKEN}", "$TOKEN", "{{ token }}", "%TOKEN%",
     "your-api-key-here", "YOUR_API_KEY", "****************", "example-key-123", "process.env.API_KEY",
     "os.environ['API_KEY']", "getToken()", "config.apiKey", "null", "none", "true", "string", "required", "...",
     "my-app-secret", "[REDACTED]", "db-credentials-7d9f8", "/run/secrets/api_key", "./key.pem", "vault://kv/app1",
     "apiKeyProvider2", "standard_b64encode", "undefined", "secretRef", "1234567890123"],
)  # fmt: skip
@every("name", ["api_key", "client_secret", "access_token", "token", "secret"])
def test_placeholder_that_is_assigned_is_left(name, value):
    for text in (f"{name}: {value}", f'{name} = "{value}"', f"{name}={value}", f"the {name} is {value}"):
        assert find(text) == [], text


@every(
    "text",
    ["Password: required", "password must be at least 8 characters", "Password: ********", "password=<password>",
     "passwordResetUrl: https://x.example/reset", "Forgot your password? Click here.", "password: ${DB_PASSWORD}",
     "password: string", "def login(self, username, password, domain='x'):", "PASSWORD = os.environ['PASSWORD']",
     "`password`, `username` and `port`", "password: str = Field(...)", "The password is incorrect."],
)  # fmt: skip
def test_password_that_is_not_written_out_is_left(text):
    assert find(text) == []


@every(
    "text",
    [
        "The quick brown fox jumps over the lazy dog, 42 times.",
        f"id: {uuid()}",
        f"commit {mix(40, HEX)}",
        f"git checkout {mix(7, HEX)}",
        f"sha256:{mix(64, HEX)}",
        f"md5 {mix(32, HEX)}",
        f"sha512-{mix(86, B64)}==",
        "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ",
        "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAgGBgcGBQgHBwcJCQgKDBQN",
        "R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7",
        "pod/api-server-7d9f8b6c5-x2x4q Running",
        "secretName: web-tls-2024",
        "secretKeyRef:\n  name: db-credentials\n  key: password",
        "https://docs.example.com/guide/api-keys?tab=tokens#rotate",
        "task-" + mix(32, HEX),
        "disk-" + mix(40),
        "arn:aws:iam::123456789012:role/deploy-role",
        "projects/my-project/locations/us-central1/clusters/prod",
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI" + mix(43, B64) + " me@host",
        "pk_live_" + mix(24),
        "npm_config_registry_and_cache_directory_setting",
        "hf_model_name_and_revision",
        "v1.2.3-rc.4+build.5",
        "2024-05-06T07:08:09.123Z",
        "nextToken: " + mix(60, B64),
        "etag: W/" + mix(32, HEX),
        "Each token has a key, and each key a secret name.",
        "Order 4711-2024: 3 x SKU-99812, total 12.50 EUR",
        "ISBN 978-3-16-148410-0, DOI 10.1000/182",
        "AWS region us-east-1, account 123456789012, instance i-0abc123def4567890",
        "traceparent: 00-" + mix(32, HEX) + "-" + mix(16, HEX) + "-01",
    ],
)
def test_ordinary_text_is_left(text):
    assert find(text) == []


def test_secrets_are_in_their_preset_only_and_redacted():
    assert {(row.presets, row.style) for row in ROWS} == {(frozenset({Preset.SECRETS}), Style.REDACT)}


def test_labels_have_words_in_lower_case_and_one_group_at_most():
    labels = [(row.id, label) for row in ROWS for label in row.labels]
    assert [name for name, label in labels if re.compile(label.pattern).groups > 1] == []
    assert [name for name, label in labels if any(word != word.lower() for word in label.words)] == []
