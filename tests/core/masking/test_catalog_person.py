"""Names, user names, passwords and what is said of a person; every name is invented."""

from agen_authz.core.masking import Detectors, detect
from agen_authz.core.masking.catalog.login import PASSWORD_LABELS, is_password, is_password_in_a_sentence
from agen_authz.core.masking.catalog.person import BARE_NAME_KEYS, PERSON_SIBLINGS
from agen_authz.core.masking.row import Preset
from tests.core.masking.every import every


def _found(name: str, text: str, *path: str) -> list[str]:
    return [text[each.start : each.end] for each in detect(text, Detectors.of(name), path=path)]


@every(
    ("text", "value"),
    [
        ("Dear John, thanks", "John"),
        ("Dear Dr. Müller,", "Müller"),
        ("Sehr geehrte Frau Dr. Schmidt,", "Schmidt"),
        ("Cher Monsieur Dupont,", "Dupont"),
        ("Estimado Sr. García López:", "García López"),
        ("Gentile Dott.ssa Rossi,", "Rossi"),
        ("Mr. Smith's car", "Smith"),
        ("Mr and Mrs O'Neill", "O'Neill"),
        ("Mr. J.R. Smith", "J.R. Smith"),
        ("Mr WEI ZHANG", "WEI ZHANG"),
        ("Herr von Stein", "von Stein"),
        ("Frau Müller-Lüdenscheidt", "Müller-Lüdenscheidt"),
        ("M. Dupont est là", "Dupont"),
        ("Mme Lefèvre-Dubois", "Lefèvre-Dubois"),
        ("Sig. Bianchi", "Bianchi"),
        ("Prof. Dr. med. Hans Müller", "Hans Müller"),
        ("my name is Priya Sharma and", "Priya Sharma"),
        ("ich heiße Jürgen Groß.", "Jürgen Groß"),
        ("je m'appelle Zoé", "Zoé"),
        ("me llamo María del Carmen Ruiz", "María del Carmen Ruiz"),
        ("mi chiamo Luca", "Luca"),
        ("patient: Wei Zhang", "Wei Zhang"),
        ("the customer Priya Patel called", "Priya Patel"),
        ("customer Alice called", "Alice"),
        ("Name: John Smith", "John Smith"),
        ("name: Priya Sharma, dob: 1/1/1980", "Priya Sharma"),
        ("Nombre: Juan Pérez", "Juan Pérez"),
        ("first name: Ana", "Ana"),
        ("prénom : Chloé", "Chloé"),
        ("apellidos: Pérez Gómez", "Pérez Gómez"),
        ("cognome: Rossi", "Rossi"),
        ("Nachname: Öztürk", "Öztürk"),
        ("Customer Name: Ravi Kumar", "Ravi Kumar"),
        ("Cardholder: JOHN Q PUBLIC", "JOHN Q PUBLIC"),
        ("Contact: Maria Gonzalez", "Maria Gonzalez"),
        ("signed by Anna Meyer", "Anna Meyer"),
        ("Kind regards,\nTom Baker", "Tom Baker"),
        ("Mit freundlichen Grüßen\nAnna Schmidt", "Anna Schmidt"),
        ("From: Jane Doe <jane@example.com>", "Jane Doe"),
        ("Hi Priya, your order 123 is here", "Priya"),
        ("John Smith called about order 123", "John Smith"),
        ("we met John F. Kennedy", "John F. Kennedy"),
    ],
)
def test_a_name_is_found_by_what_is_before_it(text: str, value: str) -> None:
    assert _found("person_name", text) == [value]


@every(
    "text",
    [
        "Dear Customer,",
        "Dear Sir or Madam",
        "Dear Hiring Manager",
        "Sehr geehrte Damen und Herren",
        "Hello World!",
        "Regards, The Support Team",
        "contact Support Team",
        "contact us on Monday",
        "the customer Data Platform",
        "Client: Acme Corp",
        "Name: Production Cluster",
        "name: get_weather",
        "MariaDB Server",
        "we went 5 m. Then we left",
        "took 5 ms Total",
        "MS Office",
        "12 Rodeo Dr, Beverly Hills",
        "assignee: backend-team",
        "Dear [PERSON_NAME],",
        "INSERT INTO users (id, full_name) VALUES (1, 'x')",
        "Dear PERSON_NAME_K7Q2,",
    ],
)
def test_what_only_looks_like_a_name_is_left(text: str) -> None:
    assert _found("person_name", text) == []


@every(
    ("name", "key"),
    [
        ("person_name", "firstName"),
        ("person_name", "full_name"),
        ("person_name", "Vorname"),
        ("person_name", "apellidos"),
        ("person_name", "nom_de_famille"),
        ("person_name", "cardholder-name"),
        ("username", "userName"),
        ("username", "login"),
        ("nationality", "nacionalidad"),
        ("gender", "sex"),
    ],
)
def test_a_member_tells_of_its_value(name: str, key: str) -> None:
    assert _found(name, "zyx", key) == ["zyx"]


@every("key", ["name", "fileName", "host_name", "displayName", "tool"])
def test_a_member_of_things_is_not_a_name(key: str) -> None:
    assert _found("person_name", "zyx", key) == []


@every(
    ("text", "value"),
    [
        ("aged 93", "93"),
        ("93 years old", "93"),
        ("a 93-year-old man", "93"),
        ("93 Jahre alt", "93"),
        ("die 101-jährige Frau", "101"),
        ("âgé de 93 ans", "93"),
        ("edad: 95", "95"),
        ("età: 90", "90"),
    ],
)
def test_an_age_over_89_is_found(text: str, value: str) -> None:
    assert _found("age", text) == [value]


@every("text", ["aged 89", "age: 45", "95 years", "age 120 s", "Age: 95%", "93 items", "aged 90+"])
def test_other_ages_and_numbers_are_left(text: str) -> None:
    assert _found("age", text) == []


def test_only_ages_over_89_are_found_by_their_member() -> None:
    assert _found("age", "95", "age") == ["95"]
    assert _found("age", "89", "age") == []
    assert _found("age", "90+", "age") == []
    assert _found("age", "95", "max_age") == []


@every(
    ("text", "value"),
    [
        ("username: jdoe", "jdoe"),
        ("login name = anna.s", "anna.s"),
        ("Benutzername: max", "max"),
        ("nombre de usuario: pepe7", "pepe7"),
    ],
)
def test_a_user_name_is_found(text: str, value: str) -> None:
    assert _found("username", text) == [value]


def test_a_word_about_user_names_is_left() -> None:
    assert _found("username", "username: required") == []


@every(
    "value",
    [
        "required",
        "string",
        "********",
        "[PASSWORD]",
        "${PW}",
        "{{",
        "<password>",
        "os.environ['X']",
        "getpass()",
        "None",
    ],
)
def test_what_speaks_about_a_password_is_not_one(value: str) -> None:
    assert not is_password(value)


@every("value", ["hunter2", "letmein", "P@ssw0rd!", "blue-Whale-7"])
def test_a_password_is_one(value: str) -> None:
    assert is_password(value)


def test_in_a_sentence_a_password_is_more_than_a_word() -> None:
    assert is_password_in_a_sentence("soleil77")
    assert not is_password_in_a_sentence("sensitive")


def test_passwords_have_words_in_five_languages() -> None:
    words = {word for label in PASSWORD_LABELS for word in label.words}
    assert words >= {"password", "passwort", "mot de passe", "contraseña", "parola d'ordine"}


def test_a_bare_name_is_never_a_sibling_of_itself() -> None:
    assert not BARE_NAME_KEYS & PERSON_SIBLINGS


def test_names_are_in_the_presets_of_persons() -> None:
    for preset in (Preset.PII, Preset.PHI, Preset.GDPR):
        assert "person_name" in Detectors.preset(preset).ids
    assert "gender" not in Detectors.preset(*Preset).ids


def test_other_names_are_known() -> None:
    assert Detectors.of("PERSON", "AGE", "USERNAME").ids == {"person_name", "age", "username"}
