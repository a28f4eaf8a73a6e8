"""The kinds of values that the corpus has: the table kinds.txt, and what checks them.

Checks are python-stdnum's if it has one. The others are those of the catalogue, so for these kinds a check that is
wrong there would not be noticed here; the tests of the catalogue hold them against published numbers.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from stdnum import luhn
from stdnum.mx import rfc

from agen_authz.core.masking import national
from agen_authz.core.masking.catalog import america, bank, card_range, device, europe_part, health
from agen_authz.core.masking.check import digits_of

TABLE = Path(__file__).with_name("kinds.txt")
Check = Callable[[str], bool]

_OWN: Mapping[str, Check] = {
    "luhn": lambda value: luhn.is_valid(digits_of(value)),
    "card": card_range.is_card,
    "luhn_clabe": bank.is_clabe,
    "elfproef": bank.is_dutch_account,
    "imei": device.is_imei,
    "vin": device.is_vin,
    "npi": health.is_npi,
    "dea": health.is_dea,
    "ssn": america._is_ssn,
    "rg": national.is_brazil_rg,
    "pis": national.is_brazil_pis,
    "mx_rfc": lambda value: rfc.is_valid(value, validate_check_digits=True),
    "uy_ci": national.is_uruguay_id,
    "hkid": national.is_hong_kong_id,
    "twid": national.is_taiwan_id,
    "kr_frn": national.is_korean_foreigner,
    "kr_crn": national.is_korean_corporation,
    "sgnric": national.is_singapore_id,
    "au_medicare": national.is_australian_medicare,
    "nhi": national.is_new_zealand_health,
    "ph_tin": national.is_philippine_tin,
    "eg_id": national.is_egyptian_id,
    "lk_nic": national.is_sri_lanka_id,
    "de_rv": europe_part.passes_rvnr,
    "icao": europe_part.passes_icao,
    "kvnr": europe_part.passes_kvnr,
    "lanr": europe_part.passes_lanr,
    "nuss": europe_part.passes_nuss,
    "niss": europe_part.passes_niss,
    "taj": europe_part.passes_taj,
    "adoazonosito": europe_part.passes_hungarian_tax,
    "hu_personal": europe_part.passes_hungarian_person,
    "lu_nin": europe_part.passes_luxembourg,
    "snils": europe_part.passes_snils,
    "plid": europe_part.passes_polish_card,
    "plpass": europe_part.passes_polish_passport,
    "siren": lambda value: _stdnum(f"fr.{'siret' if len(digits_of(value)) == 14 else 'siren'}")(digits_of(value)),
    "be_card": lambda value: (int(digits_of(value)[:10]) % 97 or 97) == int(digits_of(value)[10:]),
    "rs_jmbg": lambda value: _stdnum("si.emso")(digits_of(value)),
    "no_org": lambda value: _stdnum("no.orgnr")(digits_of(value)),
    "es.dni": lambda value: _stdnum("es.dni")(value.replace("-", "")),
    "es.nie": lambda value: _stdnum("es.nie")(value.replace("-", "")),
}


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of value.

    Attributes:
        detector: the id of the detector that should find it.
        templates: how it is written.
        check: what a value must pass; None for a kind without one.
        is_sure: True if it should be found without a word that tells of it.
        labels: words for it, in the languages in which it is used.
        fields: names of JSON members that hold it.
    """

    detector: str
    templates: tuple[str, ...]
    check: Check | None
    is_sure: bool
    labels: tuple[str, ...]
    fields: tuple[str, ...]


def read_kinds() -> list[Kind]:
    """Read the table."""
    lines = TABLE.read_text("utf-8").splitlines()
    return [_read_kind(line) for line in lines if line.strip() and not line.startswith("#")]


def _read_kind(line: str) -> Kind:
    detector, templates, check, labels, fields = _cells(line)
    name = check.removeprefix("!").strip()
    return Kind(
        detector=detector,
        templates=_split(templates),
        check=find_check(name) if name else None,
        is_sure=check.startswith("!"),
        labels=_split(labels),
        fields=_split(fields),
    )


def _cells(line: str) -> list[str]:
    cells = [cell.strip() for cell in line.split("|")]
    if len(cells) != 5:
        raise ValueError(f"not five cells: {line}")
    return cells


def _split(text: str) -> tuple[str, ...]:
    return tuple(each.strip() for each in text.split(" ; ") if each.strip())


def find_check(name: str) -> Check:
    """Find a check by its name in the table; what it cannot read does not pass."""
    known = _OWN.get(name) or _stdnum(name)

    def passes(value: str) -> bool:
        try:
            return known(value)
        except (ValueError, LookupError):
            return False

    return passes


def _stdnum(name: str) -> Check:
    module = import_module(f"stdnum.{name}")
    is_valid: Check = module.is_valid
    return is_valid
