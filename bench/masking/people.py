"""Invented people: names, addresses and what is written about them, in English, German, French, Spanish and Italian."""

from random import Random

_GIVEN = (
    "Anna", "Thomas", "Katharina", "Jonas", "Sabine", "Dieter", "Camille", "Antoine", "Élodie", "Guillaume", "María",
    "Javier", "Carmen", "Álvaro", "Giulia", "Marco", "Chiara", "Lorenzo", "Emily", "James", "Olivia", "William",
    "Sarah", "Michael", "Jessica", "Daniel", "Priya", "Wei", "Fatima", "Ahmed",
)  # fmt: skip
_FAMILY = (
    "Müller", "Schneider", "Hoffmann", "Weber", "Krüger", "Dupont", "Lefèvre", "Moreau", "Girard", "García",
    "Fernández", "Navarro", "Ortega", "Rossi", "Bianchi", "Ferrari", "Conti", "Smith", "Johnson", "Walker", "Thompson",
    "Clarke", "Patel", "Chen", "Hassan", "Novak", "Kowalski", "Jensen",
)  # fmt: skip
# Streets, and places that have such streets.
_ADDRESSES = (
    (("{} Oak Street", "{} Maple Avenue", "{} Elm Drive, Apt {}"), ("Springfield, IL 62704", "Austin, TX 78701")),
    (("{} Victoria Road", "{} Church Lane"), ("Leeds LS1 4AP", "Bristol BS1 5TR")),
    (("Hauptstraße {}", "Lindenallee {}", "Bahnhofstraße {}"), ("80331 München", "10115 Berlin")),
    (("{} rue de la République", "{} avenue Victor Hugo"), ("75011 Paris", "69003 Lyon")),
    (("Calle Mayor {}", "Avenida de la Paz {}"), ("28013 Madrid", "41001 Sevilla")),
    (("Via Garibaldi {}", "Via Roma {}"), ("20121 Milano", "00184 Roma")),
)
_CITIES = ("Springfield", "Leeds", "München", "Berlin", "Paris", "Lyon", "Madrid", "Sevilla", "Milano", "Napoli")
_DOMAINS = ("example.com", "mail.example.org", "kunde.example.de", "exemple.example.fr", "sub.example.co.uk")
_ASCII = str.maketrans("áàéèëíóöüçñ", "aaeeeioouCn".lower())
SPECIAL = ("Catholic", "Muslim", "Jewish", "Hindu", "Buddhist", "Protestant")


def draw_name(random: Random) -> str:
    """Draw a given and a family name."""
    return f"{random.choice(_GIVEN)} {random.choice(_FAMILY)}"


def draw_address(random: Random) -> str:
    """Draw a street with a number, most of them with a place."""
    streets, places = random.choice(_ADDRESSES)
    street = random.choice(streets).format(random.randrange(1, 180), random.randrange(1, 40))
    return f"{street}, {random.choice(places)}" if random.random() < 0.7 else street


def draw_city(random: Random) -> str:
    """Draw a city."""
    return random.choice(_CITIES)


def draw_email(random: Random) -> str:
    """Draw an e-mail address."""
    given, family = draw_name(random).lower().translate(_ASCII).split()
    return f"{given}{random.choice('._-')}{family}@{random.choice(_DOMAINS)}"


def draw_user(random: Random) -> str:
    """Draw a user's name."""
    given, family = draw_name(random).lower().translate(_ASCII).split()
    return f"{given[0]}{family}{random.randrange(10, 99)}"
