"""User names, and how people write passwords down; what programs write is in the files of secrets."""

import re

from agen_authz.core.masking.entropy import is_secret
from agen_authz.core.masking.gap import before
from agen_authz.core.masking.row import Detector, Label, Preset

# What `password:` is followed by if not by a password: what it must be, where it comes from, what is masked already.
_NO_PASSWORD = re.compile(
    r"(?i)(?:required|optional|string|str|text|null|none|nil|true|false|yes|no|not|undefined|empty|unset|set|changed|hidden"
    r"|redacted|masked|secret|password|passwd|pwd|passwort|kennwort|incorrect|invalid|wrong|expired|reset|change|enter"
    r"|bytes|value|auth|must|should|is|the|your|a|an|and|or|for|to|in|field|here|input|prompt|file|e\.g|see|type|bool|int|varchar.*"
    r"|[*\u2022x.#_-]+|\W+|\[.*\]?|<.*|\{.*|\$\{?.*|%[\w(].*|os\.|process\.env.*|env\..*|self\..*|[\w.]+\(.*|[\w.]+\[.*"
    r"|\(.*|`.*|(?:none|true|false)\W.*|_\w*|[a-z]+(?:_[a-z]+)+)"
)


def is_password(value: str) -> bool:
    """True if a value may be a password: not a word about one, a variable, a type or a mask."""
    return _NO_PASSWORD.fullmatch(value) is None


def is_password_in_a_sentence(value: str) -> bool:
    """True if a word behind `password is` is not one of the sentence: it has a digit, a sign or a capital inside."""
    return is_password(value) and re.search(r"\d|[^\w\s.-]|[a-z][A-Z]", value) is not None


def is_strong_password(value: str) -> bool:
    """True if a word next to `password` can only be one: random, or letters and digits with a sign that no name has."""
    if len(value) < 8 or not is_password_in_a_sentence(value):
        return False
    if value.isalnum():
        return is_secret(value) and value.lower() != value != value.upper()
    return all(re.search(each, value) for each in (r"[^\W\d_]", r"\d", r"[!#$%^&*+=?~]"))


def may_be_login(value: str) -> bool:
    """True if what follows `username:` may be one: not a type or an expression of a program."""
    return is_password(value) and _EXPRESSION.match(value) is None


def is_login(value: str) -> bool:
    """True if a word next to `login` is the name of a user: neither a machine nor a step."""
    return _NO_LOGIN.match(value) is None


_EXPRESSION = re.compile(
    r"(?i:user|username|annotated|optional|self|ident)$|(?:self|user|username|u|req|request|config|settings|args|env|os)\."
)
_NO_LOGIN = re.compile(
    r"(?:node|server|srv|page|step|attempt|form|host|test|shell|group|method|type|level|screen|view|flow|error|retry|version"
    r"|field|input|button|api|oauth|saml|ldap|http|sha|md|utf|option|task|job|web|app|ipv|rule|script)[\d._-]*\d*$"
)
_PASSWORDS = (
    "password", "passwd", "pwd", "passphrase", "pass phrase", "passcode", "passwort", "kennwort",
    "mot de passe", "mdp", "contraseña", "contrasena", "clave de acceso", "clave", "parola d'ordine", "senha",
    "parola chiave", "wachtwoord", "kennung und passwort",
)  # fmt: skip
_ACCOUNT = r"[a-z](?:[._-]?[a-z]){3,24}[._-]?\d{1,6}"
_USERNAMES = (
    "username", "user name", "user-name", "login name", "benutzername", "nutzername", "anmeldename",
    "nom d'utilisateur", "identifiant", "nombre de usuario", "usuario", "nome utente", "screen name", "userid",
)  # fmt: skip
# Until a space or a quote; not what ends the sentence.
_WRITTEN = r"([^\s\"'<>,;]{3,100}[^\s\"'<>,;.:)\]}])"

PASSWORD_LABELS = (
    # `First pass: look at all` is about something else.
    Label(("pass",), rf"[\"']?\s?[:=]\s{{0,3}}[\"']?{_WRITTEN}", 0.85, check=is_password_in_a_sentence),
    Label(_PASSWORDS, rf"[\"']?\s?(?:[:=]|=>)\s{{0,3}}[\"']?{_WRITTEN}", 0.85, check=is_password),
    Label(
        _PASSWORDS, rf"\s(?:is|was|ist|lautet|est|es|è)\s?:?\s[\"']?{_WRITTEN}", 0.85, check=is_password_in_a_sentence
    ),
    Label(_PASSWORDS, r"\s([^\s\"'`,;<>(){}\[\]|\\]{8,64})", 0.7, check=is_strong_password),
    before(_PASSWORDS, r"(?<!\S)[^\s\"'`,;<>(){}\[\]|\\]{8,64}", 0.7, check=is_strong_password, reach=80),
    Label(
        _PASSWORDS,
        r"(?:\s?[:=]|\s(?:is|ist|est|es|è)):?\s{0,3}[\"']([^\"'\n]{4,100})[\"']",
        0.85,
        check=is_password,
    ),
)
"""Passwords in sentences and after a colon, in five languages: for the row of passwords, which knows programs' ways."""

PASSWORD_FIELDS = (
    *("password", "passwd", "passphrase", "pass phrase", "passcode", "pwd", "=pass", "user pass", "db pass"),
    *("passwort", "kennwort", "mot de passe", "mot passe", "=mdp", "contraseña", "contrasena", "contrasenia"),
    *("clave acceso", "clave de acceso", "=clave", "parola chiave", "parola d ordine", "senha", "wachtwoord"),
    *("security answer", "secret answer"),
)
"""Members that are passwords, in five languages."""

ROWS: tuple[Detector, ...] = (
    Detector(
        "username",
        "name with which a person logs in",
        frozenset({Preset.PII, Preset.GDPR, Preset.SECRETS}),
        labels=(
            Label(
                _USERNAMES,
                r"(?:\s?[:=]\s{0,3}|\s(?:is|ist|est|es|è)\s)[\"']?([\w.@+-]{1,63}\w)",
                0.8,
                check=may_be_login,
            ),
            # Without a colon only letters and digits, as many companies make names of users.
            Label(
                (*_USERNAMES, "login"),
                rf"\s(?:(?:is|ist|lautet|est|es|è)\s)?({_ACCOUNT})(?![\w@/-]|\.\w)",
                0.6,
                check=is_login,
            ),
            before((*_USERNAMES, "login"), _ACCOUNT, 0.6, check=is_login),
        ),
        context=("password", "login", "account", "passwort", "kennwort", "sign in", "mot de passe", "contraseña"),
        fields=(
            *("username", "user name", "userlogin", "login name", "loginname", "=login", "user login", "screen name"),
            *("benutzername", "nutzername", "anmeldename", "nom utilisateur", "nom d utilisateur"),
            *("identifiant connexion", "identifiant de connexion"),
            *("nombre usuario", "nombre de usuario", "=usuario", "nome utente", "=utente", "account username", "uname"),
        ),
        field_pattern=r"^[^\s/:]{2,128}$",
        aliases=("USERNAME", "USER_NAME", "user_name"),
    ),
)
