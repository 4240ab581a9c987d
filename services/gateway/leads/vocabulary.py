"""The words of other people's files: what the titles of columns mean.

They come from the exports of Google, Outlook, HubSpot, Follow Up Boss, Mailchimp, Pipedrive,
Salesforce, Zoho, kvCORE, Constant Contact, Brevo, Zillow, Lofty, EspoCRM, Odoo, listmonk, Mautic
and Chatwoot, and from plain English, German and Spanish spreadsheets. Everything is compared as
`key` writes it, so "Email 1", "email_1" and "EMAIL1" are one word.
"""

import re
import unicodedata
from typing import Final

# A longer word is none that is known here, and Unicode's normal forms take quadratic time.
LONGEST = 250
EXCERPT = 200


def key(word: str) -> str:
    """Reduce a header or a value to its letters and digits, in lower case."""
    if len(word) > LONGEST:
        return ""
    return "".join(c for c in unicodedata.normalize("NFKC", word).casefold() if c.isalnum())


def excerpt(text: str) -> str:
    """Return a text as a message may quote it."""
    return text if len(text) <= EXCERPT else f"{text[:EXCERPT]}…"


def keys(words: str) -> tuple[str, ...]:
    """Return the keys of words that commas separate."""
    return tuple(key(word) for word in words.split(","))


# By field of a client, or a part of one.
_WORDS: Final[dict[str, tuple[str, ...]]] = {
    "name": keys(
        "Name, Full Name, Client Name, Contact Name, Lead Name, Customer Name, Person - Name,"
        " Client, Contact, Display Name, Vollständiger Name, Kunde, Nombre completo, Cliente"
    ),
    "first_name": keys("First Name, First, Given Name, Forename, Vorname, Nombre, Nombres"),
    "middle_name": keys("Middle Name, Additional Name, Zweiter Vorname, Segundo nombre"),
    "last_name": keys(
        "Last Name, Last, Family Name, Surname, Nachname, Familienname, Apellido, Apellidos"
    ),
    "organization": keys(
        "Organization Name, Organization, Organisation, Organization 1 - Name, Company,"
        " Company Name, Company / Account, Account Name, Person - Organization, Firma, Empresa"
    ),
    "notes": keys(
        "Notes, Note, Background, Comments, Comment, Message, Remarks, Description, Notizen, Notiz,"
        " Bemerkung, Bemerkungen, Kommentar, Notas, Nota, Comentarios, Observaciones"
    ),
    "stage": keys(
        "Stage, Lifecycle Stage, Client Stage, Contact Stage, Deal Stage, Status, Lead Status,"
        " Lead Stage, Client Status, Contact Status, Etapa"
    ),
    "property_type": keys(
        "Property Type, Type of Property, Home Type, Immobilientyp, Objektart, Tipo de propiedad"
    ),
    "greeting": keys("Greeting, Preferred Name"),
    "language": keys("Language, Preferred Language, Preferred Locale, Sprache, Idioma"),
    "time_zone": keys("Time Zone, Zeitzone, Zona horaria"),
    "source": keys(
        "Source, Lead Source, Contact Source, Original Source, Referral Source, Quelle, Herkunft,"
        " Fuente, Origen"
    ),
    "lead_since": keys(
        "Lead Since, Date Added, Added Time, Added On, Created, Created At, Created On,"
        " Created Time, Created Date, Create Date, Date Created, Registered, Registered At,"
        " Registered Date, Registration Date, Date Registered, Optin Time, Opt-in Time,"
        " Lead Date, Lead Created, Inquiry Date, Date Received, Person - Person created, Erstellt,"
        " Erstellt am, Angelegt am, Fecha de creación, Fecha de alta"
    ),
    "custom_fields": keys("Custom Fields"),
}
_MEANING_OF: Final = {
    word: (meaning, rank) for meaning, words in _WORDS.items() for rank, word in enumerate(words)
}
# What a column may be taken for, besides a part of an address, an answer about emails, and a field
# of its own.
MEANINGS: Final = (*_WORDS, "email", "phone")
_WHOSE = "(?:person|contact|client|customer|lead|kunden?)?"
_WHICH = (
    "(?:primary|main|home|personal|private|work|business|company|other|secondary|second"
    "|alternate|alternative|mobile|cell|day|evening|car)*"
)
_KIND = r"\d?(?:value|address|work|home|mobile|personal|private|business|other|\d)*"
_EMAIL = re.compile(
    rf"{_WHOSE}{_WHICH}(?:e?mails?(?:id|addresse?|adresse)?|correo(?:electr[oó]nico)?|courriel)"
    rf"{_KIND}"
)
_PHONE = re.compile(
    rf"{_WHOSE}{_WHICH}(?:(?:tele|cell|mobile)?phones?|tel|mobile|cell|cellular|sms|whatsapp"
    r"|telefone?|handy|mobil|mobiltelefon|rufnummer|tel[eé]fono|m[oó]vil|celular)"
    rf"(?:number|no|nr|nummer|num)?{_KIND}"
)
# The first of several is the one that is not called another.
_FURTHER = re.compile("second|alternat|other|[2-9]|1[0-9]")


def meaning_of(title: str) -> tuple[str, int] | None:
    """Return what a column with this title means, and its rank among those that mean the same."""
    word = key(title)
    if known := _MEANING_OF.get(word):
        return known
    rank = int(bool(_FURTHER.search(word)))
    if _EMAIL.fullmatch(word):
        return "email", rank
    return ("phone", rank) if _PHONE.fullmatch(word) else None
