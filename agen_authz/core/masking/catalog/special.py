"""What the law protects more than other personal data: special categories (GDPR Article 9) and crimes (Article 10).

Almost always the member's name tells of it; in text, the words before it. A value of any kind counts, `false` too: that
someone has no disability is as much about health as that she has one.
"""

from agen_authz.core.masking.row import At, Detector, Label, Preset, Style

_COLON = r"\s?[:=][ \t]{0,3}[\"']?"
# Some words to the end of the phrase, not what is masked already.
_PHRASE = r"(?!\[)([^\W\d_][^\n.,;:|<>\[\]{}()\"]{1,60}[^\s.,;:|<>\[\]{}()\"])"
_FEW_WORDS = r"([^\W\d_][\w'-]*(?:\s(?!and\b|or\b|on\b|in\b|at\b|und\b|am\b|et\b|le\b|y\b|el\b|e\b|il\b)[\w'-]+){0,4})"
_BLOOD = r"(?:\s?[:=]|\sis)?\s{0,3}((?:AB|A|B|0|O)(?:\s?[+-]|\s(?i:positive|negative|pos|neg|rh))?)(?!\w)"

# Racial or ethnic origin, political opinions, religion or belief, trade unions, genes, biometrics, health, sex life.
_ORIGIN = (
    "=race", "race ethnicity", "racial origin", "ethnicity", "ethnic", "ethnic group", "ethnic origin",
    "ethnic background", "patient race", "skin color", "skin colour", "indigenous status", "caste", "tribe", "=rasse",
    "ethnie", "ethnizität", "ethnizitaet", "ethnische herkunft", "hautfarbe", "migrationshintergrund",
    "origine ethnique", "origine raciale", "couleur de peau", "=raza", "etnia", "origen etnico", "origen étnico",
    "origen racial", "grupo etnico", "color de piel", "=razza", "origine etnica", "origine razziale", "gruppo etnico",
)  # fmt: skip
_POLITICS = (
    "political party", "political affiliation", "political opinion", "political opinions", "political view",
    "political views", "political belief", "political beliefs", "politics", "party affiliation", "party membership",
    "political donation", "political donations", "voting preference", "voter affiliation", "partei", "parteimitglied",
    "parteizugehörigkeit", "parteizugehoerigkeit", "politische meinung", "politische einstellung",
    "politische gesinnung", "parti politique", "opinion politique", "opinions politiques", "affiliation politique",
    "partido politico", "partido político", "opinion politica", "opinión política", "opiniones politicas",
    "afiliacion politica", "ideologia politica", "partito politico", "partito", "opinioni politiche",
    "orientamento politico", "fede politica",
)  # fmt: skip
_BELIEF = (
    "religion", "religious", "religious belief", "religious beliefs", "religious affiliation", "denomination", "faith",
    "philosophical belief", "philosophical beliefs", "church membership", "church tax", "konfession",
    "religionszugehörigkeit", "religionszugehoerigkeit", "glaube", "weltanschauung", "kirchensteuer",
    "confession religieuse", "=croyance", "croyances", "appartenance religieuse", "religión", "creencias",
    "creencias religiosas", "confesion religiosa", "religione", "credo", "credo religioso", "fede religiosa",
    "convinzioni religiose",
)  # fmt: skip
_UNION = (
    "trade union", "labor union", "labour union", "union membership", "union member", "union name",
    "trade union membership", "union dues", "is union member", "gewerkschaft", "gewerkschaftsmitglied",
    "gewerkschaftszugehörigkeit", "gewerkschaftszugehoerigkeit", "gewerkschaftsmitgliedschaft", "syndicat",
    "appartenance syndicale", "syndiqué", "syndique", "adhesion syndicale", "sindicato", "afiliacion sindical",
    "afiliación sindical", "afiliado sindical", "sindacato", "iscrizione sindacale", "appartenenza sindacale",
    "tessera sindacale",
)  # fmt: skip
_BODY = (
    "genetic", "genetic data", "genetic test", "genetic marker", "genotype", "genome", "genomic", "dna", "dna profile",
    "dna sequence", "genetische daten", "gentest", "erbgut", "données génétiques", "donnees genetiques",
    "test génétique", "test genetique", "adn", "datos geneticos", "datos genéticos", "prueba genetica",
    "dati genetici", "test genetico",
)  # fmt: skip
_BIOMETRIC = (
    "biometric", "biometrics", "biometric template", "biometric data", "fingerprint template", "fingerprint image",
    "fingerprint scan", "fingerprint data", "user fingerprint", "patient fingerprint", "customer fingerprint",
    "employee fingerprint", "left thumb print", "thumbprint image", "=fingerprints", "face template",
    "face encoding", "face embedding", "face descriptor", "facial recognition", "facial template", "face id template",
    "faceprint", "retina scan", "retinal scan", "iris scan", "iris template", "iris code", "voiceprint", "voice print",
    "palm print", "palm vein", "gait pattern", "fingerabdruck", "fingerabdrücke", "fingerabdruecke",
    "gesichtserkennung", "gesichtsvorlage", "biometrische daten", "stimmabdruck", "iriserkennung",
    "empreinte digitale", "empreintes digitales", "donnees biometriques", "données biométriques", "gabarit facial",
    "reconnaissance faciale", "empreinte vocale", "huella dactilar", "huellas dactilares", "huella digital",
    "datos biometricos", "datos biométricos", "plantilla facial", "reconocimiento facial", "impronta digitale",
    "impronte digitali", "dati biometrici", "riconoscimento facciale", "impronta vocale",
)  # fmt: skip
_HEALTH = (
    "diagnosis", "diagnoses", "medical diagnosis", "primary diagnosis", "medical condition", "medical conditions",
    "health condition", "health conditions", "medical history", "health history", "family medical history",
    "chronic condition", "chronic disease", "chronic illness", "disease", "illness", "disability", "disabilities",
    "disability status", "is disabled person", "hiv", "hiv status", "hiv test", "hiv positive", "aids status",
    "blood type", "blood group", "bloodtype", "allergies", "allergy", "medication", "medications",
    "prescribed medication", "mental health", "psychiatric history", "pregnancy", "pregnancy status", "is pregnant",
    "pregnant", "vaccination", "vaccination status", "vaccine status", "covid status", "immunization", "immunizations",
    "symptoms", "substance abuse", "drug use", "sick leave", "sickness absence", "smoker", "smoking status",
    "lab results", "test result hiv", "addiction", "diagnose", "diagnosen", "krankheit", "krankheiten",
    "vorerkrankung", "vorerkrankungen", "behinderung", "grad der behinderung", "schwerbehinderung", "schwerbehindert",
    "blutgruppe", "allergien", "medikation", "medikamente", "schwangerschaft", "schwanger", "impfstatus",
    "krankenakte", "gesundheitszustand", "krankengeschichte", "gesundheitsdaten", "krankmeldung", "arbeitsunfähigkeit",
    "anamnese", "diagnostic medical", "diagnostic médical", "=diagnostics", "maladie", "maladies",
    "antécédents médicaux", "antecedents medicaux", "etat de sante", "état de santé", "handicap", "groupe sanguin",
    "traitement medical", "vih", "statut vih", "grossesse", "enceinte", "arret maladie", "statut vaccinal",
    "diagnostico", "diagnóstico", "enfermedad", "enfermedades", "historial medico", "historial médico", "discapacidad",
    "grado de discapacidad", "grupo sanguineo", "grupo sanguíneo", "alergias", "medicacion", "medicación", "embarazo",
    "embarazada", "estado de salud", "baja medica", "estado serologico", "diagnosi", "malattia", "malattie",
    "patologia", "patologie", "anamnesi", "disabilità", "disabilita", "invalidità", "invalidita", "gruppo sanguigno",
    "allergie", "farmaci", "gravidanza", "stato di salute", "cartella clinica", "sieropositivo", "stato vaccinale",
)  # fmt: skip
_SEX_LIFE = (
    "sexual orientation", "sexuality", "sexual preference", "sex life", "sexual history", "gender identity",
    "transgender", "is transgender", "lgbt", "lgbtq", "sexuelle orientierung", "sexualität", "sexualitaet",
    "sexualleben", "geschlechtsidentität", "geschlechtsidentitaet", "orientation sexuelle", "vie sexuelle",
    "identite de genre", "identité de genre", "orientacion sexual", "orientación sexual", "vida sexual",
    "identidad de genero", "identidad de género", "orientamento sessuale", "vita sessuale", "identità di genere",
    "identita di genere",
)  # fmt: skip
_GENERAL = (
    "special category", "special categories", "gdpr article9", "sensitive category", "sensitive personal",
    "besondere kategorien", "categoria especial", "categoria particolare",
)  # fmt: skip
_CRIMES = (
    "criminal record", "criminal records", "criminal history", "criminal conviction", "criminal convictions",
    "convictions", "conviction", "criminal offence", "criminal offense", "criminal offences", "criminal charges",
    "arrest record", "arrest history", "arrests", "felony", "felonies", "misdemeanor", "misdemeanors",
    "felony conviction", "has felony", "probation status", "parole", "parole status", "sex offender",
    "prison sentence", "incarceration", "inmate number", "dbs check", "criminal background",
    "criminal background check", "vorstrafe", "vorstrafen", "vorbestraft", "strafregister", "führungszeugnis",
    "fuehrungszeugnis", "verurteilung", "verurteilungen", "straftat", "straftaten", "haftstrafe", "casier judiciaire",
    "condamnation", "condamnations", "condamnation pénale", "antecedents judiciaires", "antécédents judiciaires",
    "infraction pénale", "infractions penales", "antecedentes penales", "antecedentes judiciales", "condena",
    "condenas", "condena penal", "delitos", "historial delictivo", "precedenti penali", "casellario giudiziale",
    "casellario", "condanna", "condanne", "condanna penale", "condanne penali", "fedina penale", "carichi pendenti",
    "reati",
)  # fmt: skip

# Adherents: words that are special categories by themselves, if something tells that a person is meant.
_ADHERENTS = (
    "catholic", "protestant", "muslim", "jewish", "hindu", "buddhist", "sikh", "atheist", "agnostic", "evangelical",
    "mormon", "baptist", "lutheran", "methodist", "sunni", "shia", "christian orthodox", "jehovah's witness",
    "katholisch", "evangelisch", "muslimisch", "jüdisch", "konfessionslos", "catholique", "musulman", "musulmane",
    "juif", "juive", "protestante", "bouddhiste", "athée", "católico", "católica", "musulmán", "musulmana", "judío",
    "judía", "ateo", "cattolico", "cattolica", "musulmano", "ebreo", "ebrea", "gay", "lesbian", "bisexual",
    "homosexual", "heterosexual", "asexual", "schwul", "lesbisch", "bisexuell", "homosexuel", "homosexuelle",
    "lesbienne", "lesbiana", "omosessuale", "lesbica", "transsexual", "hispanic", "caucasian", "african american",
    "latino", "latina", "republican", "communist", "social democrat", "hiv positive", "hiv-positiv", "séropositif",
    "seropositivo",
)  # fmt: skip
_ANY_ADHERENT = "|".join(sorted(_ADHERENTS, key=len, reverse=True))
_TOLD = (
    "religion", "religious affiliation", "religious beliefs", "denomination", "ethnicity", "ethnic origin",
    "ethnic group", "race/ethnicity", "political affiliation", "political party", "political views",
    "political opinions", "trade union", "union membership", "labor union", "sexual orientation", "gender identity",
    "hiv status", "blood type", "blood group", "diagnosis", "primary diagnosis", "medical condition",
    "medical conditions", "medical history", "allergies", "disability", "genetic condition", "pregnancy status",
    "medications", "konfession", "ethnische herkunft", "parteizugehörigkeit", "parteimitgliedschaft",
    "politische meinung", "gewerkschaft", "gewerkschaftszugehörigkeit", "sexuelle orientierung", "blutgruppe",
    "diagnose", "vorerkrankungen", "behinderung", "hautfarbe", "allergien", "confession religieuse",
    "origine ethnique", "parti politique", "opinions politiques", "syndicat", "appartenance syndicale",
    "orientation sexuelle", "groupe sanguin", "diagnostic", "maladie", "antécédents médicaux", "handicap",
    "état de santé", "religión", "etnia", "origen étnico", "afiliación política", "partido político",
    "afiliación sindical", "sindicato", "orientación sexual", "grupo sanguíneo", "diagnóstico", "enfermedad",
    "discapacidad", "religione", "origine etnica", "orientamento politico", "partito politico", "sindacato",
    "orientamento sessuale", "gruppo sanguigno", "diagnosi", "malattia", "disabilità", "patologie",
)  # fmt: skip
_ILL = (
    "diagnosed with", "suffers from", "suffering from", "tested positive for", "treated for", "hospitalized for",
    "allergic to", "has a history of", "diagnostiziert mit", "leidet an", "leidet unter", "erkrankt an",
    "erkrankte an", "diagnostiqué avec", "allergique à", "diagnosticado con", "diagnosticada con", "diagnosticado de",
    "diagnosticada de", "padece", "padece de", "sufre de", "alérgico a", "alérgica a", "affetto da", "affetta da",
    "soffre di", "diagnosticato con", "allergico a", "allergica a",
)  # fmt: skip
_MEMBER = (
    "member of the", "member of", "mitglied der", "mitglied in der", "mitglied bei", "mitglied des", "membre du",
    "membre de la", "syndiqué à la", "syndiquée à la", "miembro del", "miembro de la", "afiliado a", "afiliada a",
    "afiliado al", "afiliada al", "iscritto alla", "iscritta alla", "iscritto al", "iscritta al", "membro del",
)  # fmt: skip
_BODIES = (
    r"(?i:union|party|church|gewerkschaft|partei|kirche|syndicat|parti|église|sindicato|partido|iglesia|sindacato|partito"
    r"|chiesa|teamsters)"
)
# `member of the Unite union`, `Mitglied der Grünen Partei`, `Mitglied der IG Metall`; not of the European Union.
_MEMBERSHIP = (
    rf"\s(?!(?i:the\s)?(?i:european|soviet|african|credit|customs)\s)(?:the\s)?((?:[^\W\d_][\w'-]*\s){{1,4}}{_BODIES}\b"
    rf"|{_BODIES}\s[^\W\d_][\w'-]*(?:\s[^\W\d_][\w'-]*){{0,2}}"
    r"|(?:SPD|CDU|CSU|FDP|AfD|IG\s[A-Z]\w+|ver\.di|GEW|CGT|CFDT|UNSA|PSOE|PP|VOX|CCOO|UGT|CGIL|CISL|UIL|AFL-CIO|SEIU|UAW"
    r"|Unison|UNISON|Unite|GMB|Labour|Grünen)\b)"
)
_PUNISHED = (
    "convicted of", "found guilty of", "pleaded guilty to", "arrested for", "sentenced to", "sentenced for",
    "served time for", "imprisoned for", "verurteilt wegen", "vorbestraft wegen", "verhaftet wegen", "angeklagt wegen",
    "verurteilt zu", "condamné pour", "condamnée pour", "condamné à", "condamnée à", "arrêté pour", "arrêtée pour",
    "condenado por", "condenada por", "condenado a", "condenada a", "detenido por", "detenida por", "arrestado por",
    "condannato per", "condannata per", "condannato a", "arrestato per", "arrestata per",
)  # fmt: skip
_COUNT = r"(?:one|two|three|four|five|several|\d{1,2}|an?)"
_CRIME_SORT = r"(?:convictions?|felony|felonies|misdemeanou?rs?|arrests?|offen[cs]es?)"
# `is two prior convictions for theft`; not `is on file`.
_PRIOR = (
    rf"((?i:(?:{_COUNT}\s)?(?:prior|previous)\s|{_COUNT}\s(?={_CRIME_SORT}))"
    r"[^\n.,;:|<>\[\]{}()\"]{4,60})"
)
_MORE_WORDS = _FEW_WORDS.removeprefix("(").removesuffix(")")
_IN_YEAR = r"(?:\s(?:in|im|en|nel)\s(?:19|20)\d\d\b)?"
_CRIME_TOLD = (
    "criminal record", "criminal history", "criminal convictions", "prior convictions", "conviction", "convictions",
    "vorstrafen", "vorstrafe", "strafregister", "casier judiciaire", "condamnations", "antecedentes penales",
    "condenas", "precedenti penali", "casellario giudiziale", "condanne penali",
)  # fmt: skip
_PERSONS = (
    "religious", "belief", "patient", "patientin", "customer", "employee", "applicant", "member", "citizen", "she",
    "he", "they", "her", "his", "who", "identifies", "religion", "ethnicity", "faith", "born", "name", "age", "mr",
    "mrs", "kunde", "mitarbeiter", "bewerber", "er ist", "sie ist", "salarié", "il est", "elle est", "candidat",
    "paciente", "empleado", "es", "candidato", "paziente", "dipendente", "è",
)  # fmt: skip

ROWS: tuple[Detector, ...] = (
    Detector(
        "special_category",
        "race, politics, religion, trade union, genes, biometrics, health, sex life (GDPR Article 9)",
        frozenset({Preset.GDPR}),
        Style.DROP,
        labels=(
            Label(_TOLD, rf"{_COLON}{_PHRASE}", 0.85),
            Label(("race", "rasse", "raza", "razza"), rf"{_COLON}{_PHRASE}", 0.3),
            Label(_ILL, rf"\s?(?:the\s|an?\s|une?\s|einer?\s|la\s|el\s)?{_FEW_WORDS}", 0.5),
            Label(_MEMBER, _MEMBERSHIP, 0.65, reach=70),
            Label(_ADHERENTS, rf"(?<!\w)(?i:{_ANY_ADHERENT})(?!\w)", 0.3, At.FROM, 30),
            Label(("blood type", "blood group", "blutgruppe", "groupe sanguin", "gruppo sanguigno"), _BLOOD, 0.85),
            Label(("souffre", "atteint", "atteinte"), rf"\s(?:de\s(?:la\s|l')?|d'|du\s|des\s){_FEW_WORDS}", 0.5),
        ),
        context=_PERSONS,
        unlike=("service", "server", "cluster", "node", "latency", "performance", "race condition", "data race", "bug"),
        fields=(*_ORIGIN, *_POLITICS, *_BELIEF, *_UNION, *_BODY, *_BIOMETRIC, *_HEALTH, *_SEX_LIFE, *_GENERAL),
        aliases=("NRP", "SPECIAL_CATEGORY"),
    ),
    Detector(
        "biometric",
        "template or picture of a finger, a face, an eye or a voice",
        frozenset({Preset.PHI}),
        Style.DROP,
        fields=_BIOMETRIC,
        aliases=("BIOMETRIC",),
    ),
    Detector(
        "fingerprint",
        "template of a finger in a member that is only named `fingerprint`, as keys and builds have them too",
        frozenset({Preset.PHI, Preset.GDPR}),
        Style.DROP,
        fields=("=fingerprint",),
        # Base64 longer than a digest: those are hexadecimal, or have 43 characters at most.
        field_pattern=r"^[A-Fa-f0-9]*+[G-Zg-z+/_-][A-Za-z0-9+/_-]{55,}={0,2}$",
    ),
    Detector(
        "criminal_record",
        "convictions and crimes (GDPR Article 10)",
        frozenset({Preset.GDPR}),
        Style.DROP,
        labels=(
            Label(_CRIME_TOLD, rf"{_COLON}{_PHRASE}", 0.85),
            Label(("charged with",), rf"\s(?:the\s|an?\s)?{_FEW_WORDS}", 0.3),
            Label(_CRIME_TOLD, rf"\s(?i:is|are|was|were|includes?|shows?)\s{_PRIOR}", 0.85),
            Label(_PUNISHED, rf"((?i:{'|'.join(_PUNISHED)})\s(?:the\s|an?\s)?{_MORE_WORDS}{_IN_YEAR})", 0.65, At.FROM),
        ),
        context=(*_PERSONS, "court", "police", "prison", "gericht", "tribunal", "tribunale"),
        fields=_CRIMES,
        aliases=("CRIMINAL_RECORD",),
    ),
)
