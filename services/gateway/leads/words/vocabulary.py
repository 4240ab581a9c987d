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
_E_MAIL: Final = re.compile(r"\be[-_ ]mail", re.IGNORECASE)
_WORD: Final = re.compile(r"\d+|[A-Z]+(?![a-z])|[A-Z]?[^\W\dA-Z_]+")


def key(word: str) -> str:
    """Reduce a header or a value to its letters and digits, in lower case."""
    if len(word) > LONGEST:
        return ""
    return "".join(c for c in unicodedata.normalize("NFKC", word).casefold() if c.isalnum())


def words(text: str) -> str:
    """Reduce a text to its words without case and accents, a blank between each two.

    "E-Mail" is one word; "leadEmail2" is three.
    """
    if len(text) > LONGEST:
        return ""
    plain = unicodedata.normalize("NFKD", text)
    bare = "".join(c for c in plain if not unicodedata.combining(c))
    return " ".join(_WORD.findall(_E_MAIL.sub("email", bare))).casefold()


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
        " Buyer Name, Your Name, Client, Contact,"
        " Display Name, Vollständiger Name, Kunde, Nombre completo, Cliente"
    ),
    "first_name": keys("First Name, First, Given Name, Forename, Vorname, Nombre, Nombres"),
    "middle_name": keys("Middle Name, Additional Name, Zweiter Vorname, Segundo nombre"),
    "last_name": keys(
        "Last Name, Last, Family Name, Surname, Nachname, Familienname, Apellido, Apellidos,"
        " Primer apellido, Apellido paterno, Segundo apellido, Apellido materno"
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
    "review": keys("Review"),
    "sequence": keys("Sequence, Follow-up Plan, Follow Up Plan, Action Plan, Secuencia, Sequenz"),
    "custom_fields": keys("Custom Fields"),
}
_MEANING_OF: Final = {
    word: (meaning, rank) for meaning, words in _WORDS.items() for rank, word in enumerate(words)
}
# What a column may be taken for, besides a part of an address, an answer about emails, and a field
# of its own.
MEANINGS: Final = (*_WORDS, "email", "phone")
# What the title of a column of emails or phones may say besides: whose, which of several, of what.
_BESIDE: Final = (
    "person|contact|client|customer|lead|buyer|seller|your|kunden?|cliente|primary|main|principal"
    "|preferred|home|personal|private?|particular|work|business|geschaftlich|trabajo|company|other"
    "|secondary|second|alternate|alternative|additional|day|evening|car|value|wert|valor|address"
    "|addresse|adresse|direccion|de|id|required|number|no|nr|nummer|num|numero|line|[1-9]|10"
)
_PHONES: Final = (
    "(?:tele|cell|mobile)?phones?|tel|mobile|cell|cellular|sms|whatsapp|telefone?|handy"
    "|mobil|mobiltelefon|rufnummer|telefono|movil|celular"
)
_KINDS: Final = {
    meaning: re.compile(rf"(?:{_BESIDE})*(?:{kind})(?:{_BESIDE}|{kind})*")
    for meaning, kind in (
        ("email", "emails?|mail|correo|electronico|courriel"),
        ("phone", _PHONES),
    )
}
# The first of several is the one that is not called another.
_FURTHER = re.compile("second|alternat|other|[2-9]|1[0-9]")


def meaning_of(title: str) -> tuple[str, int] | None:
    """Return what a column with this title means, and its rank among those that mean the same."""
    word = key(title)
    if known := _MEANING_OF.get(word):
        return known
    for meaning, kind in _KINDS.items():
        if kind.fullmatch(words(title).replace(" ", "")):
            return meaning, int(bool(_FURTHER.search(word)))
    return None
