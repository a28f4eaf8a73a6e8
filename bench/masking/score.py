"""Counts what was found of the corpus: recall, precision and false hits, for each detector."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from agen_authz.core.masking.catalog import CATALOG
from agen_authz.core.masking.row import Preset
from bench.masking.corpus import ALONE, FIELD, LABELLED, LABELLED_LOOKALIKE, LOOKALIKE, ORDINARY, Sample

# Detectors whose values look the same, or are found by words that all of them have:
# the name of one is right for a value of another.
_SAME: tuple[frozenset[str], ...] = tuple(
    frozenset(names.split())
    for names in (
        "cz_rc sk_rc",
        "rs_jmbg si_emso",
        "ee_ik lt_ak",
        "kr_frn kr_rrn kr_domestic_residence",
        "kr_passport_mrz kr_passport",
        "de_id_card de_passport",
        "bank_account us_bank_account jp_bank_account il_bank_account ca_bank_account",
        "bank_account au_bank_account nz_bank_account nl_bank_account",
        "credit_card kr_credit_card unverified_credit_card",
        "medical_license dea_number",
        "hicn mbi",
        "ca_phin ca_health_number",
        "eu_vat uk_vat de_vat_id it_vat_code pl_nip",
        "es_nif es_nie es_cif ar_dni pe_cui",
        "pe_ruc ec_ruc",
        "ec_ci co_cedula uy_ci",
        "phone fax",
        "license_plate uk_vehicle_registration de_license_plate tr_license_plate za_license_plate",
        "license_plate in_vehicle_registration ng_vehicle_registration",
        "city postcode address",
        "ip_address public_ip_address",
        "connection_string url_userinfo",
    )
)
# What a name such as `token` tells of, whatever the secret is for.
_ANY_SECRET = frozenset({"token", "api_key", "secret", "authorization_header", "password"})

Hit = tuple[int, int, str]
"""Start, end and detector of what was found in a sample's text."""


@dataclass(slots=True)
class Count:
    """What was found of one kind.

    Attributes:
        asked, found: samples with a value, and those where this detector found it, by how it was presented.
        masked: samples where some detector covers the value, whatever it takes it for.
        lookalikes, fooled, other: samples with a look-alike, by how it was presented; found by this detector; by any.
        right, wrong: hits of this detector in the whole corpus, on values of this kind and elsewhere.
    """

    asked: dict[str, int] = field(default_factory=dict)
    found: dict[str, int] = field(default_factory=dict)
    masked: int = 0
    lookalikes: dict[str, int] = field(default_factory=dict)
    fooled: dict[str, int] = field(default_factory=dict)
    other: dict[str, int] = field(default_factory=dict)
    right: int = 0
    wrong: int = 0

    def recall(self, *hows: str) -> float | None:
        """Return the share that was found; None if nothing was asked."""
        asked = sum(self.asked.get(how, 0) for how in hows or self.asked)
        return sum(self.found.get(how, 0) for how in hows or self.asked) / asked if asked else None

    @property
    def precision(self) -> float | None:
        """The share of hits that are right; None without hits."""
        return self.right / (self.right + self.wrong) if self.right + self.wrong else None

    @property
    def total(self) -> int:
        """How many values there were."""
        return sum(self.asked.values())


@dataclass(slots=True)
class Score:
    """Counts by detector, and of the documents without values.

    Attributes:
        touched: how many documents without values had a hit; `strays` are these hits by detector.
    """

    counts: dict[str, Count] = field(default_factory=dict)
    documents: int = 0
    touched: int = 0
    strays: dict[str, int] = field(default_factory=dict)

    def of(self, detector: str) -> Count:
        """Return the counts of a detector."""
        return self.counts.setdefault(detector, Count())

    def mean_recall(self, *hows: str) -> float:
        """Return the mean recall over the detectors that were asked so."""
        known = [each for each in (count.recall(*hows) for count in self.counts.values()) if each is not None]
        return sum(known) / len(known)

    def mean_precision(self) -> float:
        """Return the mean precision over the detectors that have values in the corpus and hits."""
        known = [count.precision for count in self.counts.values() if count.total]
        return sum(each or 0.0 for each in known) / len(known)


def score(samples: Sequence[Sample], hits: Sequence[Iterable[Hit]], only: frozenset[str] | None = None) -> Score:
    """Count.

    Args:
        hits: of each sample.
        only: kinds that the recognizer knows; samples of others are left out.
    """
    counted = Score()
    for sample, found in zip(samples, hits, strict=True):
        if sample.detector and only is not None and sample.detector not in only:
            continue
        if sample.how == ORDINARY:
            _count_ordinary(counted, list(found))
        elif sample.how in (LOOKALIKE, LABELLED_LOOKALIKE):
            _count_lookalike(counted, sample, list(found))
        else:
            _count_value(counted, sample, list(found))
    return counted


def _count_value(counted: Score, sample: Sample, hits: list[Hit]) -> None:
    count, names = counted.of(sample.detector), same_as(sample.detector)
    start, end = sample.value
    over = [hit for hit in hits if hit[0] < end and start < hit[1]]
    count.asked[sample.how] = count.asked.get(sample.how, 0) + 1
    is_found = any(
        name in names and 2 * (min(last, end) - max(first, start)) >= end - start for first, last, name in over
    )
    count.found[sample.how] = count.found.get(sample.how, 0) + is_found
    covered = {at for first, last, _ in over for at in range(max(first, start), min(last, end))}
    count.masked += len(covered) >= end - start
    for hit in hits:
        is_right = hit in over and hit[2] in names
        target = counted.of(hit[2])
        target.right, target.wrong = target.right + is_right, target.wrong + (not is_right)


def _count_lookalike(counted: Score, sample: Sample, hits: list[Hit]) -> None:
    count = counted.of(sample.detector)
    start, end = sample.value
    over = [hit for hit in hits if hit[0] < end and start < hit[1]]
    is_fooled = any(name == sample.detector for _, _, name in over)
    for tally, more in ((count.lookalikes, 1), (count.fooled, is_fooled), (count.other, bool(over))):
        tally[sample.how] = tally.get(sample.how, 0) + more
    for hit in hits:
        counted.of(hit[2]).wrong += 1


def _count_ordinary(counted: Score, hits: list[Hit]) -> None:
    counted.documents += 1
    counted.touched += bool(hits)
    for _, _, name in hits:
        counted.strays[name] = counted.strays.get(name, 0) + 1
        counted.of(name).wrong += 1


def same_as(detector: str) -> frozenset[str]:
    """List the detectors that are right for a value of this one."""
    groups = [group for group in _SAME if detector in group]
    kin = {kind for kind in CATALOG if _family(kind) and _family(kind) == _family(detector)}
    if Preset.SECRETS in CATALOG[detector].presets:
        kin |= _ANY_SECRET
    return frozenset({detector}).union(kin, *groups)


def _family(detector: str) -> str:
    """A passport's or a driving licence's number rarely says of which country it is."""
    ends = ("passport", "driver_license", "driving_licence")
    return next((end.replace("driving_licence", "driver_license") for end in ends if detector.endswith(end)), "")


HOWS: Mapping[str, str] = {LABELLED: "in a sentence with its name", FIELD: "in a JSON member", ALONE: "without a word"}
