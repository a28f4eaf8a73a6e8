"""Dates: of birth, of a stay in hospital, of death, of a treatment; and any date, for those who ask for it by name.

A date by itself identifies no one, and documents are full of them. So a date is personal only if the words before it,
or the member that it is in, say what happened on it. HIPAA 164.514(b)(2)(i)(C) lists those of the presets.
"""

import re
from calendar import monthrange

from agen_authz.core.masking.gap import before
from agen_authz.core.masking.row import At, Detector, Form, Label, Preset, Style

_PERSONAL = frozenset({Preset.PII, Preset.PHI, Preset.GDPR})
_STAY = frozenset({Preset.PHI, Preset.GDPR})
_PATIENT = frozenset({Preset.PHI})

# English, German, French, Spanish, Italian; abbreviations with at least three letters.
MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december", "januar", "jänner", "februar", "märz", "maerz", "mai", "juni", "juli", "oktober", "dezember",
    "janvier", "février", "fevrier", "mars", "avril", "juin", "juillet", "août", "aout", "septembre", "octobre",
    "novembre", "décembre", "decembre", "enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto",
    "septiembre", "setiembre", "octubre", "noviembre", "diciembre", "gennaio", "febbraio", "aprile", "maggio",
    "giugno", "luglio", "settembre", "ottobre", "dicembre", "jan", "feb", "mar", "apr", "jun", "jul", "aug", "sep",
    "sept", "oct", "nov", "dec", "mär", "mrz", "okt", "dez", "janv", "févr", "fevr", "avr", "juil", "déc", "ene",
    "abr", "ago", "dic", "gen", "mag", "giu", "lug", "set", "ott",
)  # fmt: skip

_YEAR = r"(?:1[89]\d\d|20\d\d)"
_DAY = r"(?:0?[1-9]|[12]\d|3[01])(?!\d)(?: ?(?:st|nd|rd|th|er)\b|o\b|\.|º|°)?"
_MONTH = rf"(?i:{'|'.join(sorted(MONTHS, key=len, reverse=True))})\b\.?"
_OF = r"(?:(?:of|de|del|d')\s?)?"
_DIGITS = (
    rf"(?:{_YEAR}[-/.] ?\d{{1,2}}[-/.] ?\d{{1,2}}"
    rf"|\d{{1,2}}(?:[-/] ?|\. ?)\d{{1,2}}(?:[-/] ?|\. ?)(?:{_YEAR}|\d\d)"
    rf"|{_YEAR}[01]\d[0-3]\d|[0-3]\d[0-3]\d{_YEAR})(?!\d)"
)
_WRITTEN = (
    rf"(?:{_DAY}[\s-]{{0,2}}{_OF}{_MONTH}[\s,-]{{0,2}}{_OF}(?:{_YEAR}|'?\d\d)(?!\d)"
    rf"|{_MONTH}[\s-]{{0,2}}{_DAY}(?:\s?,\s?|[\s-]{{1,2}}){_OF}(?:{_YEAR}|'?\d\d)(?!\d)"
    rf"|{_YEAR}[\s,-]{{1,2}}{_MONTH}[\s-]{{1,2}}{_DAY})"
)
# The same around the name of a month that has been found, whatever the letters: it need not be searched for again.
_LETTERS = r"[^\W\d_]{3,10}\b\.?"
_DAY_FIRST = (
    rf"(\d(?<!\w\d)\d?(?!\d)(?: ?(?:st|nd|rd|th|er)\b|o\b|\.|º|°)?[\s-]{{0,2}}{_OF}{_LETTERS}"
    rf"(?:[\s,-]{{0,2}}{_OF}(?:{_YEAR}|'?\d\d)(?!\d))?(?!\w))"
)
_MONTH_FIRST = (
    rf"([^\W\d_](?<!\w\w)[^\W\d_]{{2,9}}\b\.?(?:[\s,]{{1,2}}{_OF}{_YEAR}(?!\d)"
    rf"|[\s-]{{1,2}}{_DAY}(?:(?:\s?,\s?|[\s-]{{1,2}}){_OF}(?:{_YEAR}|'?\d\d)(?!\d))?)(?![\w:]))"
)
# The text between the word and the date: no digit, no end of a sentence, no value that is masked already.
_AFTER = rf"\.?[^\d.;!?\[\]]{{0,40}}?(?<![\w])({_WRITTEN}|{_DIGITS})"
# A date in front of the word, as `before` finds it.
_BEFORE = (
    rf"{_DIGITS}|\d{{1,2}}(?:st|nd|rd|th|er|\.)? {_OF}[^\W\d_]{{3,10}}\.?,? {_OF}{_YEAR}"
    rf"|[^\W\d_]{{3,10}}\.? \d{{1,2}}(?:st|nd|rd|th)?,? {_YEAR}"
)

# What a member holds: a year by itself is not personal, and is what `generalize` leaves.
# In what has a letter and a digit, one is next to the other, but for signs between them: so the search is linear.
_MORE_THAN_A_YEAR = r"\d\D+\d|\d{5}|[^\W\d_](?:_|[^\w\n])*+\d|\d(?:_|[^\w\n])*+[^\W\d_]"


def is_calendar_date(value: str) -> bool:
    """True if a date exists, in any customary order of its numbers; or if its month is a word."""
    numbers = re.findall(r"\d+", value)
    if not numbers or re.search(r"[^\W\d_]{3}", value):
        return bool(numbers)
    if len(numbers[0]) == 8:
        compact = numbers[0]
        return _exists(compact[:4], compact[4:6], compact[6:]) or _in_either_order(
            compact[:2], compact[2:4], compact[4:]
        )
    if len(numbers) < 3:
        return False
    first, second, third = numbers[:3]
    return _exists(first, second, third) if len(first) == 4 else _in_either_order(first, second, third)


def _in_either_order(first: str, second: str, year: str) -> bool:
    return _exists(year, second, first) or _exists(year, first, second)


def _exists(year: str, month: str, day: str) -> bool:
    full = int(year) if len(year) == 4 else 2000 + int(year)  # 2000 had a 29 February
    return 1800 <= full < 2100 and 1 <= int(month) <= 12 and 1 <= int(day) <= monthrange(full, int(month))[1]


def _is_date_with_month(value: str) -> bool:
    """True if a date exists, and what is a word in it is the name of a month."""
    names = [each.lower() for each in re.findall(r"[^\W\d_]{3,}", value)]
    return is_calendar_date(value) and all(each in MONTHS for each in names)


def _dated(words: tuple[str, ...], score: float = 0.85) -> tuple[Label, ...]:
    return (
        Label(words, _AFTER, score, check=is_calendar_date),
        before(words, _BEFORE, score, check=_is_date_with_month),
    )


_BORN = (
    *("born", "date of birth", "birth date", "birthdate", "birthday", "dob", "d.o.b", "d.o.b."),
    *("geboren", "geboren am", "geb", "geb.", "geburtsdatum", "geburtstag", "geb.-datum", "geb.datum"),
    *("né le", "née le", "ne le", "nee le", "né(e) le", "date de naissance", "naissance", "ddn"),
    *("fecha de nacimiento", "f. nacimiento", "fecha nacimiento", "nacido el", "nacida el", "nacido en", "nacida en"),
    *("nació el", "nacio el", "nacido", "nacida"),
    *("data di nascita", "nascita", "nato il", "nata il", "nato a", "nata a"),
)
_ADMITTED = (
    *("admitted", "admission", "admission date", "date of admission", "admit date", "hospitalized", "hospitalised"),
    *("aufgenommen", "aufnahme", "aufnahmedatum", "aufnahmetag", "eingewiesen", "eingeliefert"),
    *("admis le", "admise le", "date d'admission", "date d'entrée", "hospitalisé le", "hospitalisée le"),
    *("fecha de ingreso", "fecha de admisión", "fecha de admision", "ingresado", "ingresada", "ingresó el"),
    *("data di ricovero", "data ricovero", "ricoverato", "ricoverata", "data di ammissione"),
)
_DISCHARGED = (
    *("discharged", "discharge", "discharge date", "date of discharge", "released from hospital"),
    *("entlassen", "entlassung", "entlassungsdatum", "entlassdatum", "entlassungstag"),
    *("date de sortie", "sorti le", "sortie le", "sortie de l'hôpital"),
    *("fecha de alta", "dado de alta", "dada de alta", "fecha de egreso", "alta médica", "alta hospitalaria"),
    *("data di dimissione", "data dimissione", "dimesso", "dimessa", "dimissioni"),
)
_DIED = (
    *("died", "deceased", "date of death", "death date", "passed away", "d.o.d."),
    *("gestorben", "verstorben", "todesdatum", "sterbedatum", "todestag"),
    *(
        "décédé le",
        "décédée le",
        "decede le",
        "decedee le",
        "date de décès",
        "date du décès",
        "date de deces",
        "mort le",
    ),
    *(
        "fecha de defunción",
        "fecha de defuncion",
        "fecha de fallecimiento",
        "fecha de muerte",
        "fallecido",
        "fallecida",
    ),
    *("falleció el", "fallecio el"),
    *("data di morte", "data del decesso", "data di decesso", "deceduto", "deceduta", "morto il", "morta il"),
)
_TREATED = (
    *("date of service", "service date", "date of visit", "visit date", "appointment date", "date of surgery"),
    *("surgery date", "procedure date", "date of procedure", "encounter date", "treatment date", "examined on"),
    *("behandlungsdatum", "op-datum", "untersuchungsdatum", "operiert am", "untersucht am", "behandelt am"),
    *("date de consultation", "date d'intervention", "date d'opération", "opéré le", "opérée le"),
    *("fecha de consulta", "fecha de cirugía", "fecha de la cirugía", "operado el", "operada el"),
    *("data della visita", "data visita", "data dell'intervento", "operato il", "operata il"),
)

ROWS: tuple[Detector, ...] = (
    Detector(
        "date_of_birth",
        "date of birth, by the words before it or its member",
        _PERSONAL,
        Style.GENERALIZE,
        labels=_dated(_BORN),
        fields=(
            *("date of birth", "dateofbirth", "birth date", "birthdate", "birthday", "birth day", "dob", "born"),
            *("born on", "birth dt", "bday", "birthdt"),
            *("geburtsdatum", "geburtstag", "geboren", "geboren am", "geb datum", "gebdatum"),
            *("date de naissance", "date naissance", "datenaissance", "naissance", "né le", "ne le", "ddn"),
            *("fecha de nacimiento", "fecha nacimiento", "fechanacimiento", "nacimiento", "nacido", "fnac", "f nac"),
            *("data di nascita", "data nascita", "datanascita", "nascita", "nato il", "=nato"),
        ),
        field_pattern=_MORE_THAN_A_YEAR,
    ),
    Detector(
        "admission_date",
        "date of admission to a hospital",
        _STAY,
        Style.GENERALIZE,
        labels=_dated(_ADMITTED),
        fields=(
            *("admission date", "date of admission", "admissiondate", "admit date", "admitted", "admission time"),
            *("date admitted", "hospitalization date", "hospitalisation date", "admit dt", "admit time"),
            *("aufnahmedatum", "aufnahmetag", "aufgenommen am", "einweisungsdatum"),
            *(
                "date d admission",
                "date admission",
                "date d entrée",
                "date d entree",
                "date entree",
                "date hospitalisation",
            ),
            *("fecha de ingreso", "fecha ingreso", "fecha de admision", "fecha de admisión", "fecha admision"),
            *("data di ricovero", "data ricovero", "data di ammissione", "data ammissione"),
        ),
        field_pattern=_MORE_THAN_A_YEAR,
    ),
    Detector(
        "discharge_date",
        "date of discharge from a hospital",
        _STAY,
        Style.GENERALIZE,
        labels=_dated(_DISCHARGED),
        fields=(
            *(
                "discharge date",
                "date of discharge",
                "dischargedate",
                "discharged",
                "date discharged",
                "discharge time",
            ),
            *("discharge dt", "entlassungsdatum", "entlassdatum", "entlassungstag", "entlassen am"),
            *("date de sortie", "date sortie", "date sortie hopital"),
            *("fecha de alta", "fecha alta", "fecha de egreso", "fecha egreso", "alta medica"),
            *("data di dimissione", "data dimissione", "data dimissioni"),
        ),
        field_pattern=_MORE_THAN_A_YEAR,
    ),
    Detector(
        "death_date",
        "date of death",
        _PATIENT,
        Style.GENERALIZE,
        labels=_dated(_DIED),
        fields=(
            *("death date", "date of death", "deathdate", "deceased", "deceased date", "date deceased", "died"),
            *("died on", "deceased on", "=dod", "deceased date time"),
            *("todesdatum", "sterbedatum", "todestag", "gestorben am", "verstorben am"),
            *("date de décès", "date de deces", "date deces", "date du deces", "décédé le", "decede le"),
            *("fecha de defuncion", "fecha de defunción", "fecha defuncion", "fecha de fallecimiento"),
            *("fecha fallecimiento", "fecha de muerte"),
            *("data di morte", "data morte", "data del decesso", "data decesso", "data di decesso"),
        ),
        field_pattern=_MORE_THAN_A_YEAR,
    ),
    Detector(
        "service_date",
        "date of a visit, an operation or another treatment of a patient",
        _PATIENT,
        Style.GENERALIZE,
        labels=_dated(_TREATED),
        fields=(
            *("date of service", "service date", "servicedate", "visit date", "date of visit", "appointment date"),
            *("encounter date", "surgery date", "date of surgery", "procedure date", "treatment date", "exam date"),
            *("behandlungsdatum", "untersuchungsdatum", "op datum", "operationsdatum"),
            *("date de consultation", "date consultation", "date intervention"),
            *("fecha de consulta", "fecha consulta", "fecha de cirugia", "fecha de la cirugia"),
            *("data della visita", "data visita", "data intervento", "data dell intervento"),
        ),
        field_pattern=_MORE_THAN_A_YEAR,
    ),
    Detector(
        "date_time",
        "any date, with or without a time",
        frozenset(),
        Style.GENERALIZE,
        forms=(
            Form(r"\d{4}-\d{1,2}-\d{1,2}(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?Z?)?", (6, 25), 0.7, is_calendar_date),
            Form(r"\d{4}[/.]\d{1,2}[/.]\d{1,2}(?: \d\d:\d\d(?::\d\d)?)?", (6, 14), 0.65, is_calendar_date),
            Form(r"\d{1,2}/\d{1,2}/(?:\d{4}|\d\d)(?: \d\d?:\d\d(?::\d\d)?)?", (5, 14), 0.6, is_calendar_date),
            Form(r"\d{1,2}-\d{1,2}-\d{4}(?: \d\d:\d\d(?::\d\d)?)?", (6, 14), 0.6, is_calendar_date),
            Form(r"\d{1,2}\.\d{1,2}\.\d{4}(?: \d\d:\d\d(?::\d\d)?)?", (6, 14), 0.6, is_calendar_date),
            Form(r"\d{1,2}[.-]\d{1,2}[.-]\d\d", (5, 6), 0.3, is_calendar_date),
            Form(r"(?:19|20)\d\d[01]\d[0-3]\d(?:T?\d{6}Z?)?", (8, 16), 0.2, None),
            Form(r"(?:0?[1-9]|1[0-2])/(?:19|20)\d\d", (5, 6), 0.3, None),
        ),
        labels=(
            Label(MONTHS, _DAY_FIRST, 0.65, At.AROUND, 14),
            Label(MONTHS, _MONTH_FIRST, 0.65, At.AROUND, 22),
            Label(
                ("date", "datum", "fecha", "data", "on", "dated", "am", "le", "el", "il"),
                rf"[\s:=]{{1,3}}({_DIGITS})",
                0.6,
            ),
        ),
        context=("date", "dated", "datum", "fecha", "data", "day", "expires", "since", "until", "issued", "born"),
        fields=("=date", "=datum", "=fecha", "date time", "datetime", "timestamp", "created at", "updated at"),
        field_pattern=r"\d",
        aliases=("DATE_TIME", "DATE"),
    ),
)
