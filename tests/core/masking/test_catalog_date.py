"""Dates that say something of a person, and dates of any kind."""

from agen_authz.core.masking import Detectors, detect
from agen_authz.core.masking.catalog.date import ROWS, is_calendar_date
from agen_authz.core.masking.row import Style
from tests.core.masking.every import every


def _found(name: str, text: str, *path: str) -> list[str]:
    return [text[each.start : each.end] for each in detect(text, Detectors.of(name), path=path)]


@every(
    ("name", "text", "value"),
    [
        ("date_of_birth", "born 5 January 1990", "5 January 1990"),
        ("date_of_birth", "DOB: 01/02/1990", "01/02/1990"),
        ("date_of_birth", "Date of birth (dd/mm/yyyy): 01.02.1990", "01.02.1990"),
        ("date_of_birth", "born on Jan 5, 90", "Jan 5, 90"),
        ("date_of_birth", "born May 5th, 1981", "May 5th, 1981"),
        ("date_of_birth", "dob 19900105", "19900105"),
        ("date_of_birth", "born in Paris, France on 5 May 1990", "5 May 1990"),
        ("date_of_birth", "order 123, DOB 1990-01-05", "1990-01-05"),
        ("date_of_birth", "geboren am 3. März 1985", "3. März 1985"),
        ("date_of_birth", "geb. 3.3.85", "3.3.85"),
        ("date_of_birth", "Geburtsdatum: 5. 1. 1990", "5. 1. 1990"),
        ("date_of_birth", "née le 12 août 1978", "12 août 1978"),
        ("date_of_birth", "né le 1er mars 1980", "1er mars 1980"),
        ("date_of_birth", "fecha de nacimiento: 5 de enero de 1990", "5 de enero de 1990"),
        ("date_of_birth", "nacida el 1/2/88", "1/2/88"),
        ("date_of_birth", "nato a Roma il 12 maggio 1970", "12 maggio 1970"),
        ("date_of_birth", "data di nascita: 12-05-1970", "12-05-1970"),
        ("admission_date", "admitted on 2024-01-05", "2024-01-05"),
        ("admission_date", "aufgenommen am 05.01.2024", "05.01.2024"),
        ("admission_date", "date d'admission : 05/01/2024", "05/01/2024"),
        ("admission_date", "fecha de ingreso: 05/01/2024", "05/01/2024"),
        ("admission_date", "ricoverato il 5 gennaio 2024", "5 gennaio 2024"),
        ("discharge_date", "Discharge date: Jan 9, 2024", "Jan 9, 2024"),
        ("discharge_date", "entlassen am 9.1.2024", "9.1.2024"),
        ("death_date", "died on March 3, 2020", "March 3, 2020"),
        ("death_date", "décédé le 3 mars 2020", "3 mars 2020"),
        ("service_date", "Date of service: 03/04/2023", "03/04/2023"),
        ("date_time", "on 5 January 2024 we", "5 January 2024"),
        ("date_time", "Jan 5, 2024 at noon", "Jan 5, 2024"),
        ("date_time", "in March 1990", "March 1990"),
        ("date_time", "2024-01-15T10:30:00Z", "2024-01-15T10:30:00Z"),
        ("date_time", "15/01/2024", "15/01/2024"),
        ("date_time", "15.01.2024", "15.01.2024"),
        ("date_time", "2024/1/15", "2024/1/15"),
        ("DATE_TIME", "5 de enero de 2024", "5 de enero de 2024"),
    ],
)
def test_a_date_is_found(name: str, text: str, value: str) -> None:
    assert _found(name, text) == [value]


@every(
    ("name", "text"),
    [
        ("date_of_birth", "5 January 1990"),
        ("date_of_birth", "Birth date is 1990-02-30"),
        ("date_of_birth", "born to run. Released 2024-01-01"),
        ("date_of_birth", "geboren 1990"),
        ("date_of_birth", "DOB: [DATE_OF_BIRTH], admitted 2024-01-02"),
        ("admission_date", "released 2024-01-05"),
        ("date_time", "2024-13-45"),
        ("date_time", "31/02/2024"),
        ("date_time", "version 10.4.22"),
        ("date_time", "127.0.0.1"),
        ("date_time", "you may or may not"),
    ],
)
def test_what_only_looks_like_a_date_is_left(name: str, text: str) -> None:
    assert _found(name, text) == []


@every(
    ("name", "key"),
    [
        ("date_of_birth", "dateOfBirth"),
        ("date_of_birth", "dob"),
        ("date_of_birth", "Geburtsdatum"),
        ("date_of_birth", "date_naissance"),
        ("date_of_birth", "fechaNacimiento"),
        ("date_of_birth", "data_di_nascita"),
        ("admission_date", "admissionDate"),
        ("discharge_date", "fecha_alta"),
        ("death_date", "date_of_death"),
        ("service_date", "appointment-date"),
    ],
)
def test_a_member_tells_of_a_date(name: str, key: str) -> None:
    assert _found(name, "1990-01-05", key) == ["1990-01-05"]
    assert _found(name, "unknown", key) == []


def test_a_year_is_left_in_its_member() -> None:
    assert _found("date_of_birth", "1990", "dob") == []
    assert _found("date_of_birth", "1/1/90", "dob") == ["1/1/90"]
    assert _found("date_of_birth", "5 May", "dob") == ["5 May"]


@every("value", ["1990-02-28", "29.2.2000", "2/29/2024", "31/12/99", "19900105", "05011990", "5 May 1990"])
def test_a_day_that_exists_is_a_date(value: str) -> None:
    assert is_calendar_date(value)


@every("value", ["", "-", "1990-02-30", "31.4.2000", "13/13/2000", "99999999", "1990-01", "0/1/2000"])
def test_a_day_that_does_not_exist_is_not_a_date(value: str) -> None:
    assert not is_calendar_date(value)


def test_dates_are_generalized_and_bare_ones_in_no_preset() -> None:
    assert {row.style for row in ROWS} == {Style.GENERALIZE}
    assert [row.id for row in ROWS if not row.presets] == ["date_time"]
