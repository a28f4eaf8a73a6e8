"""Traits of a person: age, sex, nationality. Of these, HIPAA lists only ages over 89 (164.514(b)(2)(i)(C))."""

from agen_authz.core.masking.gap import before
from agen_authz.core.masking.row import At, Detector, Label, Preset, Style

_COLON = r"\s?[:=]\s{0,3}[\"']?"
_NATIONALITIES = (
    *("nationality", "citizenship", "staatsangehörigkeit", "nationalität", "nationalité", "nacionalidad"),
    *("nazionalità", "cittadinanza"),
)
_CAPITALIZED = r"[A-Z\xc0-\xdd][a-z\xdf-\xff]{3,15}"
# How English names of nations end, and their German, French, Spanish and Italian ones.
_OF_NATIONS = (
    *("ian", "ban", "can", "dan", "gan", "kan", "man", "ran", "ese", "ish", "ench", "utch", "eek", "wiss", "zech"),
    *("hai", "ani", "aqi", "eli", "isch", "ais", "aise", "ois", "oise", "ien", "ienne", "ol", "ola", "e\xf1o", "ino"),
    *("ina", "iano", "iana", "ano", "ana", "\xe9s", "esa", "ense", "ico", "ica"),
)


def is_nation(value: str) -> bool:
    """True if a word ends as the names of nations do: `Italian`, `deutsch`; not `Act`."""
    return value.lower().endswith((*_OF_NATIONS, "eutsch"))


_OVER_89 = r"(?<![\w.,$-])(9\d|1[0-2]\d)"

ROWS: tuple[Detector, ...] = (
    Detector(
        "age",
        "age over 89 years",
        frozenset({Preset.PHI}),
        Style.GENERALIZE,
        labels=(
            Label(
                (
                    "aged",
                    "age",
                    "patient age",
                    "alter",
                    "im alter von",
                    "âgé de",
                    "âgée de",
                    "âge",
                    "edad",
                    "età",
                    "di età",
                ),
                r"(?:\s?[:=]\s{0,3}|\s(?:(?:of|is|was|ist|de|di|von|è)\s)?)(9\d|1[0-2]\d)"
                r"(?![\w%+]|[.,]\d|\s?(?:s|sec|seconds?|ms|min|minutes?|h|hours?|d|days?)\b)",
                0.6,
            ),
            before(("age", "patient age", "alter", "âge", "edad", "età"), r"9\d|1[0-2]\d", 0.6),
            Label(
                (
                    "years old",
                    "year old",
                    "years of age",
                    "yrs old",
                    "y/o",
                    "yo",
                    "jahre alt",
                    "jährige",
                    "jähriger",
                    "jährigen",
                ),
                rf"{_OVER_89}[\s-]?(?i:(?:years?|yrs)[\s-](?:old|of\sage)|y/?o\b|jahre\salt|jährige[nr]?)",
                0.65,
                At.AROUND,
                24,
            ),
            Label(("ans", "años", "anni"), rf"{_OVER_89}\s(?i:ans|años|anni)\b", 0.5, At.AROUND, 20),
        ),
        context=("patient", "age", "aged", "alter", "patientin", "âgé", "âgée", "edad", "paciente", "età", "paziente"),
        fields=(
            *(
                "=age",
                "patient age",
                "age years",
                "age in years",
                "current age",
                "customer age",
                "user age",
                "person age",
            ),
            *(
                "age at admission",
                "age at death",
                "age at diagnosis",
                "=alter",
                "lebensalter",
                "patientenalter",
                "=edad",
            ),
            *("edad paciente", "=eta", "=età", "eta paziente", "=âge", "age patient", "age du patient"),
        ),
        field_pattern=r"^\D{0,3}(?:9\d|1[0-2]\d)(?:\.0)?(?:[^\d+].*)?$",
        aliases=("AGE",),
    ),
    Detector(
        "gender",
        "sex or gender",
        frozenset(),
        labels=(Label(("gender", "sex", "geschlecht", "sexe", "sexo", "sesso"), rf"{_COLON}([^\W\d_]{{1,15}})", 0.6),),
        fields=("=gender", "=sex", "patient sex", "patient gender", "geschlecht", "sexe", "sexo", "=genero", "=sesso"),
        aliases=("GENDER",),
    ),
    Detector(
        "nationality",
        "nationality, citizenship",
        frozenset({Preset.GDPR}),
        labels=(
            Label(
                _NATIONALITIES,
                rf"{_COLON}([^\W\d_]{{2,30}}(?:[ -][^\W\d_]{{2,20}})?)",
                0.65,
            ),
            Label(_NATIONALITIES, rf"\s(?:(?:is|of|ist|est|es|è)\s)?({_CAPITALIZED})\b", 0.6, check=is_nation),
            before(_NATIONALITIES, _CAPITALIZED, 0.6, check=is_nation),
        ),
        fields=(
            *("nationality", "citizenship", "country of citizenship", "nationalität", "nationalitaet"),
            *("staatsangehörigkeit", "staatsangehoerigkeit", "staatsbürgerschaft", "nationalité", "nationalite"),
            *("citoyenneté", "nacionalidad", "ciudadanía", "ciudadania", "nazionalità", "nazionalita", "cittadinanza"),
        ),
        aliases=("NATIONALITY",),
    ),
)
