"""What a person is reached by, or found by, on a network: mail, telephone, addresses, places on a map."""

from collections.abc import Callable
from ipaddress import AddressValueError, IPv6Address, ip_address

from agen_authz.core.masking.gap import GAP
from agen_authz.core.masking.national import words
from agen_authz.core.masking.phone import is_international
from agen_authz.core.masking.row import At, Check, Detector, Form, Label, Preset, Style

_CONTACT = frozenset((Preset.PII, Preset.PHI, Preset.GDPR))
_ONLINE = frozenset((Preset.PHI, Preset.GDPR))

# Letters beyond ASCII are \xc0 to \xff in what is searched. The local part has no `*`, for a mask ends with one, and
# none of what is in front of an address in a URL. Without limits of length the automaton is small, and no slower.
_LOCAL = r"[0-9A-Za-z\xc0-\xff_][0-9A-Za-z\xc0-\xff._%+'-]*"
_DOMAIN = r"(?:[0-9A-Za-z\xc0-\xff-]+\.)+[A-Za-z\xc0-\xff][0-9A-Za-z\xc0-\xff-]*[0-9A-Za-z\xc0-\xff]"
_HEX = r"[0-9A-Fa-f]{1,4}"
_OCTET = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
_IPV4 = rf"(?:{_OCTET}\.){{3}}{_OCTET}"
_PRIVATE_IPV4 = rf"(?:192\.168|172\.(?:1[6-9]|2\d|3[01]))\.{_OCTET}\.{_OCTET}"
_IPV6_SHORT = rf"(?:\b(?:{_HEX}:){{1,7}}:|\B::)(?:(?:{_HEX}:){{0,6}}{_IPV4}\b|{_HEX}(?::{_HEX}){{0,6}}\b)?"
# Of addresses that are short: link-local, local, and those of the internet.
_IPV6_BEGINNINGS = frozenset(("fe80", "fc00", "fd00", "2001", "2606", "2620", "2a00", "ff02", "ff05"))
# A network of the size that `generalize` writes (/48) begins at a multiple of it.
_NETWORK_V6 = 1 << 80
# Schemes in front of `//user:password@`.
_SCHEMES = (
    "http, https, ftp, ftps, sftp, ssh, scp, git, svn, smb, ws, wss, ldap, ldaps, smtp, smtps, imap, imaps, pop3, "
    "postgres, postgresql, mysql, mariadb, mssql, sqlserver, oracle, mongodb, srv, redis, rediss, amqp, amqps, mqtt, "
    "mqtts, nats, kafka, cockroachdb, clickhouse, cassandra, couchdb, elasticsearch, neo4j, bolt, jdbc, socks5, "
    "socks, socks4, rtsp, rtmp, s3, snowflake, presto, trino, hive, influxdb, memcached, asyncpg, psycopg2, pymysql, "
    "aiomysql, sip, sips, xmpp, proxy"
)


def is_ipv6(value: str) -> bool:
    """True if it is an address of one interface, and not a name with `::` in it, as programs have."""
    try:
        address = IPv6Address(value)
    except AddressValueError:
        return False
    # Unspecified, this machine, or a network, as `generalize` writes one.
    if int(address) <= 1 or int(address) % _NETWORK_V6 == 0 or not any(each.isdigit() for each in value):
        return False
    is_long = sum(each != "" for each in value.split(":")) >= 3
    return is_long or "." in value or value[:4].lower() in _IPV6_BEGINNINGS


def _is_public(is_one: Check) -> Check:
    def check(value: str) -> bool:
        if not is_one(value):
            return False
        return ip_address(value).is_global

    return check


def _is_ipv4(value: str) -> bool:
    # What ends with 0 is a network, as `generalize` writes one.
    return value != "255.255.255.255" and not value.startswith("0.") and not value.endswith(".0")


def _is_wide_ipv4(value: str) -> bool:
    """True if it has longer numbers than versions and sections of a document have, or begins as private ones do."""
    octets = value.split(".")
    lengths = sorted(len(each) for each in octets)
    return _is_ipv4(value) and (lengths[-1] == 3 or lengths[1] == 2 or octets[0] == "10")


def _is_mail(value: str) -> bool:
    local, _, domain = value.rpartition("@")
    return not local.endswith(".") and ".." not in value and not domain.rpartition(".")[2].isdigit()


def _list_ips(is_counted: Callable[[Check], Check]) -> tuple[tuple[Form, ...], tuple[Form, ...], tuple[Label, ...]]:
    """List how addresses are written, those that are counted: direct forms, forms and labels."""
    direct = (
        Form(rf"\b(?:{_HEX}:){{7}}{_HEX}\b", (0, 0), 0.8, is_counted(is_ipv6)),
        Form(_IPV6_SHORT, (0, 0), 0.8, is_counted(is_ipv6)),
    )
    forms = (
        Form(_PRIVATE_IPV4, (5, 12), 0.85, is_counted(_is_ipv4)),
        Form(_IPV4, (5, 12), 0.6, is_counted(_is_wide_ipv4)),
        Form(_IPV4, (5, 12), 0.4, is_counted(_is_ipv4)),
    )
    labels = (
        Label(
            words("ip, ip address, ipv4, ip addr, host, server, dns, resolver, gateway, nameserver"),
            GAP + rf"({_IPV4})\b",
            0.6,
            check=is_counted(_is_ipv4),
        ),
    )
    return direct, forms, labels


_IP_WORDS = words(
    "ip, ips, ip address, ipv4, ipv6, inet, inet6, host, remote addr, client ip, source ip, dns, gateway, subnet, "
    "whois, x-forwarded-for, xff, logged in from, adresse ip, ip-adresse, dirección ip, indirizzo ip"
)
_NOT_IP = words("section, chapter, clause, paragraph, oid, firmware, driver version, v")
_DIRECT, _FORMS, _LABELS = _list_ips(lambda check: check)
_PUBLIC_DIRECT, _PUBLIC_FORMS, _PUBLIC_LABELS = _list_ips(_is_public)

EMAIL = Detector(
    id="email",
    title="e-mail addresses",
    presets=_CONTACT,
    style=Style.PARTIAL,
    direct=(Form(rf"{_LOCAL}@{_DOMAIN}", (0, 0), 0.9, _is_mail),),
    context=words("email, e-mail, mail, contact, courriel, correo, posta elettronica"),
    fields=words("email, e mail, email address, emailaddress, mail address, courriel, correo electronico, =mail"),
    field_pattern=r"[^\s*]@|@[^\s*]",
    aliases=("emailAddress", "email_address", "EMAIL_ADDRESS", "EMAIL"),
)

_PHONE_WORDS = words(
    "phone, phones, telephone, phone number, tel, mobile, mobile number, cell, cellphone, cell phone, call, caller, "
    "called, calling, dial, text me, sms, whatsapp, contact number, contact, landline, hotline, helpline, toll free, "
    "extension, ext, ring, voicemail, telefon, telefonnummer, handy, handynummer, mobil, mobilnummer, rufnummer, "
    "festnetz, durchwahl, anrufen, rückruf, téléphone, portable, numéro de téléphone, appeler, appelez, joindre, "
    "teléfono, telefono, móvil, movil, celular, llamar, llame, número de teléfono, fijo, cellulare, chiamare, chiami, "
    "numero di telefono, telemóvel, telemovel, telefone, ligar, telefoonnummer, telefoon, mobiel, gsm, bellen, "
    "numer telefonu, komórka, komórkowy, zadzwoń, puhelin, mobiltelefon, puhelinnumero, msisdn, fon"
)

PHONE = Detector(
    id="phone",
    title="telephone numbers",
    presets=_CONTACT,
    style=Style.LAST4,
    forms=(
        Form(r"(?:1[-.])?[2-9]\d{2}(?:-[2-9]\d{2}-|\.[2-9]\d{2}\.)\d{4}", (10, 11), 0.5),
        Form(r"(?:1 )?[2-9]\d{2} [2-9]\d{2}[ -]\d{4}", (10, 11), 0.4),
        Form(r"00[1-9](?:[ ./-]{0,2}\d){6,13}", (9, 16), 0.6, is_international),
        # Of any country, by a word: national numbers have no form in common.
        Form(r"\d(?:[ ./-]{0,2}\d){4,14}", (5, 15), 0.2),
    ),
    context=_PHONE_WORDS,
    unlike=words("nhs, tin, medicare, npi, routing"),
    fields=words(
        "phone, phones, phone number, phone no, phone num, phonenumber, telephone, telephone number, tel, tel no, "
        "mobile, mobile number, mobile phone, mobile no, cell, cell phone, cellphone, cell number, home phone, "
        "work phone, office phone, contact number, contact phone, whatsapp, msisdn, telefon, telefonnummer, handy, "
        "handynummer, mobilnummer, rufnummer, telephone portable, numero de telephone, telefono, numero de telefono, "
        "movil, celular, cellulare, numero di telefono, telemovel, telefone, telefoon, telefoonnummer, "
        "numer telefonu, telefon komorkowy, sms number, caller id, callback number"
    ),
    field_pattern=r"(?:\d\D{0,3}){5}",
    aliases=("phoneNumber", "phone_number", "PHONE_NUMBER", "PHONE", "ZA_MOBILE_NUMBER", "ZA_TELEPHONE_NUMBER"),
)

FAX = Detector(
    id="fax",
    title="fax numbers, next to a word that says so",
    presets=_CONTACT,
    style=Style.LAST4,
    labels=(
        Label(
            words(
                "fax, fax number, fax no, facsimile, telefax, faxnummer, télécopie, télécopieur, telecopie, "
                "número de fax, numero di fax, numéro de fax, faks"
            ),
            GAP + r"(\+?\(?\d(?:[ ()./-]{0,3}\d){5,16})\b",
            0.7,
        ),
    ),
    context=words("fax, facsimile, telefax, télécopie, faks"),
    fields=words("fax, fax number, fax no, faxnumber, facsimile, telefax, faxnummer, telecopie"),
    field_pattern=r"(?:\d\D{0,3}){5}",
    aliases=("FAX_NUMBER", "fax_number"),
)

IP_ADDRESS = Detector(
    id="ip_address",
    title="IP addresses, version 4 and 6",
    presets=_ONLINE,
    direct=_DIRECT,
    forms=_FORMS,
    labels=_LABELS,
    context=_IP_WORDS,
    unlike=_NOT_IP,
    fields=words(
        "ip, ip address, ip addr, ipaddress, ipv4, ipv6, client ip, remote ip, remote addr, source ip, src ip, "
        "dst ip, x forwarded for, adresse ip, direccion ip, indirizzo ip"
    ),
    field_pattern=r"\d\.\d|[0-9A-Fa-f]:[0-9A-Fa-f:]",
    aliases=("ipAddress", "IP_ADDRESS"),
)

PUBLIC_IP_ADDRESS = Detector(
    id="public_ip_address",
    title="IP addresses of the internet: not those of private networks",
    presets=frozenset(),
    direct=_PUBLIC_DIRECT,
    forms=_PUBLIC_FORMS,
    labels=_PUBLIC_LABELS,
    context=_IP_WORDS,
    unlike=_NOT_IP,
    aliases=("publicIpAddress", "PUBLIC_IP_ADDRESS"),
)

URL = Detector(
    id="url",
    title="URLs",
    presets=frozenset(),
    direct=(
        Form(r"\b[A-Za-z][A-Za-z0-9+.-]{1,15}://[^\s\"'<>`{}|\\^\x1e]*[^\s\"'<>`{}|\\^\x1e.,;:!?)\]]", (0, 0), 0.8),
    ),
    labels=(
        Label(("www.",), r"(?i)(www\.(?:[a-z0-9-]{1,63}\.){1,5}[a-z]{2,24}(?:/[^\s\"'<>]{0,200})?)", 0.7, At.FROM),
    ),
    context=words("url, website, link, homepage"),
    fields=words("url, urls, uri, website, homepage, href, web address"),
    field_pattern=r"[a-z0-9]\.[a-z]{2}",
    aliases=("URL",),
)

URL_USERINFO = Detector(
    id="url_userinfo",
    title="name and password in URLs",
    presets=frozenset((Preset.SECRETS, Preset.PII)),
    labels=(
        Label(
            words(_SCHEMES),
            r"://([^\s/:@\"'<>*]{0,64}:[^\s/@\"'<>\[*][^\s/@\"'<>]{0,255})@[A-Za-z0-9\[]",
            0.9,
            reach=340,
        ),
        Label(words(_SCHEMES), r"://([^\s/:@\"'<>*\[]{16,255})@[A-Za-z0-9\[]", 0.7, reach=280),
    ),
    aliases=("URL_USERINFO",),
)

_DEGREES = r"-?\d{1,3}\.\d{3,15}"
# `52.52\xb0 N, 13.405\xb0 E`, or with minutes and seconds behind the degrees, whatever signs they have.
_FRACTION = r"\d{1,2}(?:\.\d{1,6})?[^0-9A-Za-z\s]{1,2} ?"
_ANGLE = rf"\d{{1,3}}(?:\.\d{{1,10}})?\xb0 ?(?:{_FRACTION}){{0,2}}"

GPS = Detector(
    id="gps",
    title="places on a map, as latitude and longitude",
    presets=_ONLINE,
    style=Style.REDACT,
    direct=(
        Form(rf"\b{_ANGLE}[NSns][,; ]{{1,3}}{_ANGLE}[EWOewo]\b", (0, 0), 0.8),
        Form(r"\b\d{1,2}\.\d{3,15} ?[NSns][,; ]{1,3}\d{1,3}\.\d{3,15} ?[EWOewo]\b", (0, 0), 0.8),
        Form(r"-?\b\d{1,2}\.\d{4,15}[,;/ ]{1,2}-?\d{1,3}\.\d{4,15}\b", (0, 0), 0.3),
    ),
    labels=(
        Label(
            words("gps, latitude, longitude, lat, lng, lon, long, lat/long, latlng, coordinates, coords, geo"),
            rf"[\s\"':=(]{{0,4}}({_DEGREES}(?:[,;/ ]{{1,2}}{_DEGREES})?)\b",
            0.6,
        ),
    ),
    context=words(
        "gps, latitude, longitude, lat, lon, lng, coordinates, coords, coordinate, location, located, geo, "
        "geolocation, position, standort, koordinaten, coordonnées, coordenadas, posizione, ubicación"
    ),
    fields=words(
        "latitude, longitude, =lat, =lng, =lon, =long, gps, latlng, coordinates, gps coordinates, geolocation"
    ),
    field_pattern=r"\d\.\d{2}",
    aliases=("GPS", "GPS_COORDINATES"),
)

ROWS = (EMAIL, PHONE, FAX, IP_ADDRESS, PUBLIC_IP_ADDRESS, URL, URL_USERINFO, GPS)
