"""Names of persons.

No pattern knows a name. It is found by its member, by what people write before one (`Dear`, `Frau`, `my name is`), and
by a given name that is hardly ever another word, with a word behind it that has a capital letter.
"""

import re

from agen_authz.core.masking.row import At, Detector, Label, Preset

BARE_NAME_KEYS = frozenset(
    ("name", "names", "nombre", "nombres", "nom", "noms", "nome", "naam", "displayname", "display_name")
)
"""Members that are a person's name if others next to them are of a person, and a tool's or a file's name if not."""

PERSON_SIBLINGS = frozenset((
    "age", "anrede", "anschrift", "apellido", "apellidos", "birth", "birthdate", "birthday", "cell", "cellulare",
    "citizenship", "civilite", "civilité", "cognome", "correo", "courriel", "cpf", "curp", "dni", "dob", "domicilio",
    "e-mail", "edad", "email", "employee", "eta", "età", "familienstand", "fax", "firstname", "geboren",
    "geburtsdatum", "gender", "genero", "geschlecht", "género", "handy", "iban", "indirizzo", "lastname", "maiden",
    "mail", "marital", "mobil", "mobile", "movil", "mrn", "móvil", "nachname", "nacimiento", "naissance", "nascita",
    "nationality", "nie", "passport", "patient", "phone", "prenom", "prénom", "rfc", "salary", "salutation", "sesso",
    "sex", "sexe", "sexo", "spouse", "ssn", "surname", "telefon", "telefono", "telephone", "teléfono", "téléphone",
    "vorname",
))  # fmt: skip
"""Words of members that tell of a person, for `BARE_NAME_KEYS`."""

# A letter that is not a small one of Latin, Greek or Cyrillic: a capital, or of an alphabet that has none.
_CAPITAL = r"[^\W\d_a-z\u00df-\u00f6\u00f8-\u00ff\u0153\u03ac-\u03ce\u0430-\u045f]"
_LETTERS = r"[^\W\d_]"
# Words with a capital letter that are in the place of a name, or follow one.
_NO_NAME = (
    "customers?", "sir", "sirs", "madam", "all", "everyone", "everybody", "team", "friends?", "colleagues?", "client",
    "cliente", "clienti", "clientes", "clients", "kunde", "kundin", "kunden", "damen", "herren", "user", "users",
    "hiring", "support", "sales", "there", "world", "members?", "subscriber", "guest", "partner", "human", "resources",
    "valued", "president", "chairman", "minister", "speaker", "pr[äe]sident(?:in)?", "amis?", "amigos?", "colegas?",
    "coll[eè]gues?", "colleghi", "signori", "tous", "todos", "tutti", "alle", "zusammen", "kollegen", "monday",
    "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "montag", "dienstag", "mittwoch", "donnerstag",
    "freitag", "samstag", "sonntag", "lundi", "mardi", "mercredi", "jeudi", "vendredi", "january", "february", "march",
    "april", "may", "june", "july", "august", "september", "october", "november", "december", "januar", "februar",
    "märz", "mai", "juni", "juli", "oktober", "dezember", "manager", "engineer", "developer", "director", "analyst",
    "consultant", "architect", "software", "product", "account", "project", "program", "vice", "officer", "designer",
    "administrator", "server", "service", "the", "this", "that", "these", "those", "your", "our", "my", "his", "her",
    "its", "their", "we", "you", "it", "he", "she", "they", "i", "if", "please", "thank", "thanks", "and", "or", "but",
    "not", "no", "yes", "is", "was", "has", "for", "from", "with", "to", "in", "on", "at", "of", "by", "as", "an?",
    "id", "ids", "number", "name", "names", "date", "dob", "ssn", "phone", "tel", "email", "e-?mail", "address",
    "status", "type", "data", "unknown", "none", "null", "true", "false", "n/a", "tbd", "test", "error", "example",
    "history", "records?", "info", "information", "care", "portal", "details?", "list", "form", "us", "page", "center",
    "centre", "api", "ihr", "ihre", "unser", "wir", "sie", "ich", "der", "die", "das", "und", "mit", "bitte", "vielen",
    "nous", "votre", "merci", "veuillez", "je", "vous", "gracias", "usted", "grazie", "su", "le", "il", "company",
    "inc", "ltd", "llc", "gmbh", "corp", "department", "hospital", "clinic", "university", "bank", "street", "road",
    "avenue", "file", "folder", "version", "build", "dr", "prof", "mr", "mrs", "ms", "born", "age", "aged", "field",
    "fields", "function", "certificate", "authority", "encrypt", "let", "only", "who", "what", "when", "monsieur",
    "madame", "mademoiselle", "herr", "frau", "señor", "señora", "signore?", "signora", "dottore?", "dottoressa",
    "doctora?", "values?",
)  # fmt: skip
_STOP = rf"(?!(?i:{'|'.join(_NO_NAME)})\b(?!['\u2019]))"
# One word of a name: initials, `O'Neill`, `d'Angelo`, `Jean-Luc`; not the `'s` behind one, nor a mask's `PERSON_NAME`.
_PART = (
    rf"(?:{_STOP}(?:{_CAPITAL}\.(?:[ -]?{_CAPITAL}\.){{0,3}}"
    rf"|(?:[dDlLoO]['\u2019])?{_CAPITAL}{_LETTERS}{{0,30}}(?:[-'\u2019](?!s\b){_LETTERS}{{1,30}}){{0,3}}(?!\w)))"
)
_PARTICLE = (
    r"(?:(?:van|von|vom|zu|zur|de|del|della|dello|dei|degli|di|da|dos|das|du|der|den|la|le|el|al|bin|ibn|ter|y|e)\s)"
)
_FIRST = rf"{_PARTICLE}{{0,3}}{_PART}"
_NEXT = rf"(?:[ \t]{{1,2}}{_PARTICLE}{{0,3}}{_PART})"
_NAME = rf"{_FIRST}{_NEXT}{{0,3}}"
_TWO_OR_MORE = rf"{_FIRST}{_NEXT}{{1,3}}"
_TITLES = (
    r"(?:(?i:dr|prof|doktor|professor|dipl|ing|med|phil|rer|nat|mag|avv|dott|dott\.ssa|docteur|doctora?)\b"
    r"\.?+[ -]?+){0,4}+"
)
_IS = r"(?:\s?[:=]\s{0,3}|\s(?:is|was|ist|lautet|est|es|è|:)\s|\s)[\"']?"
_COLON = r"\s?[:=]\s{0,3}[\"']?"
_ENDS = r"(?=[ \t]*(?:[,!:;\n]|-|$))"

# Given names that are hardly ever a place, a month, a firm or another word, nor inside one.
_GIVEN = frozenset((
    "aaron", "ahmed", "aisha", "alain", "alberto", "alejandro", "alessandro", "alessia", "alexander", "alice",
    "amanda", "amit", "andrea", "andreas", "andrew", "andrés", "angela", "anja", "anna", "anthony", "antoine",
    "antonio", "arthur", "ashley", "aurélie", "barbara", "beatriz", "benjamin", "bernd", "birgit", "bradley",
    "brandon", "brenda", "brian", "brigitte", "carl", "carlos", "carmen", "carol", "carolyn", "catherine", "charles",
    "cheryl", "chiara", "chloé", "christine", "christophe", "christopher", "claudia", "courtney", "craig", "cristina",
    "curtis", "cynthia", "céline", "daniel", "danielle", "david", "davide", "deborah", "debra", "denise", "dennis",
    "derek", "diane", "diego", "dieter", "dmitri", "donald", "donna", "douglas", "dustin", "eduardo", "edward",
    "elena", "elizabeth", "elke", "emily", "enrico", "erika", "fatima", "federica", "felix", "fernando", "florian",
    "francesca", "francesco", "francisco", "frank", "franziska", "françois", "françoise", "frédéric", "gabriele",
    "gary", "george", "gerald", "gerhard", "giorgia", "giovanna", "giovanni", "gisela", "giulia", "giuseppe", "gloria",
    "gregory", "guillaume", "günter", "hannah", "hans", "harold", "hassan", "heather", "heike", "heinz", "helen",
    "helga", "helmut", "henry", "hiroshi", "holger", "horst", "hugo", "hélène", "ingrid", "isabel", "isabella",
    "isabelle", "ivan", "jacob", "jacques", "james", "jane", "janet", "janice", "jason", "javier", "jean", "jeffrey",
    "jennifer", "jens", "jeremy", "jerry", "jesse", "jessica", "joan", "joel", "johanna", "john", "jonas", "jonathan",
    "jorge", "jose", "josefa", "joseph", "joshua", "josé", "joyce", "juan", "judith", "julia", "julie", "julien",
    "justin", "jutta", "jürgen", "karen", "karin", "karl", "katherine", "kathleen", "kathryn", "katie", "katrin",
    "keith", "kelly", "kenneth", "kevin", "kimberly", "klaus", "kristen", "kristin", "kyle", "larry", "laura",
    "lauren", "laurent", "lena", "linda", "lindsay", "lisa", "lorenzo", "luca", "lucia", "lucía", "luigi", "luis",
    "lukas", "manfred", "manuel", "marco", "marcus", "margaret", "margot", "maria", "marie", "marilyn", "markus",
    "marta", "martha", "martina", "mary", "maría", "mathieu", "matteo", "matthew", "matthias", "megan", "melissa",
    "michael", "michel", "michelle", "miguel", "mohamed", "mohammed", "monica", "monika", "muhammad", "nancy",
    "natalie", "natasha", "nathalie", "nathan", "nathaniel", "nicholas", "nicolas", "nicole", "norbert", "olga",
    "oliver", "olivia", "olivier", "omar", "pablo", "pamela", "paola", "paolo", "patricia", "patrick", "paul", "paula",
    "pedro", "peter", "petra", "philip", "philippe", "phillip", "pierre", "priya", "rachel", "rafael", "rahul",
    "rainer", "ralf", "ralph", "ramón", "raquel", "raymond", "rebecca", "renate", "ricardo", "riccardo", "richard",
    "robert", "roberto", "rocío", "roger", "ronald", "russell", "ryan", "sabine", "salvatore", "samantha", "samuel",
    "sandra", "sanjay", "sara", "sarah", "scott", "sean", "sebastian", "sergei", "sergio", "sharon", "shirley",
    "silke", "silvia", "simone", "sophia", "sophie", "stefan", "stefano", "stephanie", "stephen", "steven", "susan",
    "susanne", "sylvie", "tammy", "teresa", "terry", "theresa", "thibault", "thomas", "thorsten", "timothy", "tobias",
    "travis", "tyler", "ulrike", "ursula", "valentina", "valérie", "vanessa", "veronica", "vincenzo", "walter",
    "wayne", "werner", "william", "wolfgang", "yuki", "zachary", "élodie",
))  # fmt: skip


def begins_with_given_name(value: str) -> bool:
    """True if the first word of a name is a well-known given name."""
    return re.split(r"[\s-]", value, maxsplit=1)[0].lower() in _GIVEN


def is_called(value: str) -> bool:
    """True if what is next to `customer` is a name: two words, or a well-known given name."""
    return " " in value or begins_with_given_name(value)


_TITLED = (
    "mr", "mrs", "messrs", "doctor", "prof", "professor", "herr", "herrn", "frau", "mme", "mlle", "madame",
    "mademoiselle", "monsieur", "señor", "señora", "señorita", "sig.ra", "sig.na", "signor", "signora", "signorina",
    "dott", "dott.ssa", "dottor", "dottoressa", "avv", "maître", "docteur", "doctora", "dhr", "mevr",
)  # fmt: skip
# As they are written before a name: `MS SQL` is not a person, nor is `5 ms`.
_SHORT_TITLED = ("Ms", "Mx", "Miss", "Dr", "Dra", "Doña", "Sr", "Sra", "Srta", "Sig", "M.")
_GREETED = (
    "dear", "sehr geehrter herr", "sehr geehrte frau", "lieber", "liebe", "cher", "chère", "chere", "estimado",
    "estimada", "querido", "querida", "gentile", "egregio", "caro", "cara",
)  # fmt: skip
_HAILED = (
    "hi", "hello", "hey", "hallo", "bonjour", "hola", "ciao", "salut", "good morning", "good afternoon", "guten tag",
    "buongiorno",
)  # fmt: skip
_SIGNED = (
    "regards", "best regards", "kind regards", "sincerely", "yours sincerely", "best wishes", "cheers", "yours truly",
    "freundlichen grüßen", "freundlichen grüssen", "freundliche grüße", "viele grüße", "beste grüße", "liebe grüße",
    "cordialement", "bien à vous", "saludos", "saludos cordiales", "atentamente", "un saludo", "cordiali saluti",
    "distinti saluti", "saluti",
)  # fmt: skip
_INTRODUCED = (
    "my name is", "i am called", "ich heiße", "ich heisse", "mein name ist", "je m'appelle", "mon nom est", "me llamo",
    "mi nombre es", "mi chiamo", "il mio nome è", "signed by", "his name is", "her name is", "their name is",
    "name of the patient is", "unterschrieben von", "unterzeichnet von", "signé par", "firmado por", "firmato da",
)  # fmt: skip
_ROLES = (
    "patient", "customer", "client", "employee", "cardholder", "account holder", "policyholder", "beneficiary",
    "applicant", "tenant", "passenger", "student", "attendee", "recipient", "payee", "claimant", "insured",
    "next of kin", "emergency contact", "spouse", "physician", "witness", "kunde", "kundin", "patientin",
    "mitarbeiter", "mitarbeiterin", "ansprechpartner", "kontoinhaber", "karteninhaber", "empfänger", "titulaire",
    "bénéficiaire", "salarié", "paciente", "cliente", "empleado", "titular", "beneficiario", "paziente",
    "intestatario", "dipendente", "destinatario", "guardian", "subscriber", "author", "assignee", "nurse", "attn",
    "contact",
)  # fmt: skip
# In front of a name without a colon, in small letters: `the customer Data Platform` is rarer than `Customer Data`.
_SMALL_ROLES = (
    "customer", "patient", "client", "employee", "cardholder", "passenger", "student", "applicant", "cliente",
    "paciente", "paziente", "empleado", "dipendente", "salarié", "physician", "nurse",
)  # fmt: skip
_NAMED = (
    "full name", "first name", "last name", "given name", "family name", "surname", "middle name", "maiden name",
    "patient name", "customer name", "client name", "employee name", "contact name", "cardholder name", "holder name",
    "account name", "legal name", "name of patient", "patient's name", "customer's name", "name and surname",
    "vorname", "nachname", "familienname", "geburtsname", "vollständiger name", "name des patienten", "zuname",
    "nom de famille", "prénom", "prenom", "nom complet", "nom et prénom", "nom du patient", "nom du client",
    "nombre completo", "apellido", "apellidos", "nombre y apellidos", "nombre del paciente", "nombre del cliente",
    "cognome", "nome completo", "nome e cognome", "nome del paziente", "nome del cliente", "nominativo",
)  # fmt: skip
_BARE = ("name:", "nombre:", "nom:", "nome:", "naam:", "name =")
_FIELDS = (
    "first name", "last name", "full name", "given name", "family name", "surname", "middle name", "maiden name",
    "nickname", "legal name", "preferred name", "forename", "birth name", "customer name", "patient name",
    "contact name", "cardholder", "cardholder name", "card holder", "account holder", "account holder name",
    "employee name", "client name", "person name", "holder name", "buyer name", "payee name", "recipient name",
    "sender name", "owner name", "author name", "member name", "subscriber name", "guest name", "beneficiary",
    "beneficiary name", "passenger name", "student name", "applicant name", "insured name", "spouse", "spouse name",
    "mother name", "father name", "mothers maiden name", "parent name", "guardian name", "next of kin",
    "emergency contact", "physician name", "doctor name", "nurse name", "attending physician", "manager name",
    "billing name", "shipping name", "assignee name", "reporter name", "real name", "vorname", "nachname",
    "familienname", "geburtsname", "zuname", "kundenname", "patientenname", "mitarbeitername", "ansprechpartner",
    "kontoinhaber", "karteninhaber", "vollständiger name", "vollstaendiger name", "rufname", "prenom", "prénom",
    "nom famille", "nom de famille", "nom complet", "nom client", "nom patient", "nom du client", "nom du patient",
    "nom naissance", "nom de naissance", "titulaire", "nom jeune fille", "nom usage", "apellido", "apellidos",
    "primer apellido", "segundo apellido", "nombre completo", "nombre cliente", "nombre paciente",
    "nombre del cliente", "nombre del paciente", "nombre empleado", "nombre titular", "nombre y apellidos",
    "primer nombre", "segundo nombre", "cognome", "nome completo", "nome cognome", "nome e cognome", "nominativo",
    "nome cliente", "nome paziente", "nome del cliente", "nome del paziente", "intestatario", "voornaam", "achternaam",
)  # fmt: skip


def _name_persons() -> tuple[Label, ...]:
    # 0.8 stays enough with a word near that speaks against numbers: names are next to orders and invoices.
    # The label's word as it is written, capitals included.
    roles, titles = (
        "|".join(rf"(?<=\b{re.escape(each)})" for each in words) for words in (_SMALL_ROLES, _SHORT_TITLED)
    )
    before = r"(?:(?i:mr|mrs|ms|miss|herrn?|frau|m|mme|monsieur|madame|sr|sra|señora?|sig|sig\.ra|signora?)\b\.?\s)?"
    return (
        Label(_TITLED, rf"\.?\s{{1,2}}{_TITLES}({_NAME})", 0.85),
        Label(tuple(map(str.lower, _SHORT_TITLED)), rf"(?:{titles})\.?\s{{1,2}}{_TITLES}({_NAME})", 0.8),
        Label(_GREETED, rf"\s{before}{_TITLES}({_NAME})(?!\w)", 0.85),
        Label(_HAILED, rf",?[ \t]{before}({_NAME})(?=\s?,)", 0.8),
        Label(_HAILED, rf",?[ \t]({_NAME})", 0.8, check=begins_with_given_name),
        Label(_SIGNED, rf"[ \t]?(?:[,.!]\s{{1,4}}|\s{{0,2}}\n\s{{0,3}}){_TITLES}({_NAME}){_ENDS}", 0.8),
        Label(_INTRODUCED, rf"\s?:?\s{{1,2}}{_TITLES}({_NAME})", 0.85),
        Label(_NAMED, rf"{_IS}{_TITLES}({_NAME})", 0.85),
        Label(_ROLES, rf"{_COLON}{_TITLES}({_NAME})", 0.8, check=is_called),
        Label(_SMALL_ROLES, rf"(?:{roles})\s({_NAME})", 0.8, check=is_called),
        Label(_BARE, rf"\s{{0,3}}[\"']?({_TWO_OR_MORE})", 0.8, check=begins_with_given_name),
        Label(_BARE, rf"\s{{0,3}}[\"']?({_NAME})", 0.3),
        Label(
            ("from:", "to:", "cc:", "bcc:", "von:", "an:", "de:", "para:", "da:", "a:"),
            rf"\s{{0,2}}\"?({_NAME})\"?\s?<",
            0.85,
        ),
        Label(tuple(sorted(_GIVEN)), rf"(?<!\w)({_TWO_OR_MORE})", 0.8, At.FROM, check=begins_with_given_name),
    )


ROWS: tuple[Detector, ...] = (
    Detector(
        "person_name",
        "name of a person, by its member or by what is written before it",
        frozenset({Preset.PII, Preset.PHI, Preset.GDPR}),
        labels=_name_persons(),
        context=(
            *(
                "patient",
                "customer",
                "employee",
                "e-mail",
                "email",
                "phone",
                "born",
                "dob",
                "date of birth",
                "age",
                "ssn",
            ),
            *("gender", "signed", "mr", "mrs", "surname", "cardholder", "client", "kunde", "kundin", "patientin"),
            *("geboren", "telefon", "vorname", "nachname", "né le", "née le", "téléphone", "prénom", "apellidos"),
            *("teléfono", "nacido", "dni", "cognome", "nato il", "nata il", "codice fiscale", "contact", "lives"),
            *("address", "dear", "herr", "frau", "passport", "regards"),
        ),
        unlike=(
            *("file name", "host name", "server name", "product name", "tool", "cluster", "bucket", "repository"),
            *("certificate", "package", "library", "song", "book", "film", "movie"),
        ),
        fields=_FIELDS,
        field_pattern=r"[^\W\d_]",
        aliases=("PERSON", "PERSON_NAME", "NAME", "full_name"),
    ),
)
