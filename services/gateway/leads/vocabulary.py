"""The words of other people's spreadsheets: column names, stages and property types.

They come from the exports of Follow Up Boss and HubSpot and from plain spreadsheets. Everything
is compared as `key` writes it, so "Email 1", "email_1" and "EMAIL1" are one word.
"""

import unicodedata
from typing import Final

from contracts.crm import PropertyType, Stage

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


def _keys(words: str) -> tuple[str, ...]:
    return tuple(key(word) for word in words.split(","))


NAME = _keys("Name, Full Name, Client Name, Contact Name, Lead Name, Client, Contact, Display Name")
FIRST_NAME = _keys("First Name, First, Given Name, Forename")
LAST_NAME = _keys("Last Name, Last, Family Name, Surname")
EMAIL = _keys(
    "Email, Email 1, E-mail Address, Primary Email, Email Address 1, E-mail 1 - Value, Mail,"
    " Work Email, Personal Email, Contact Email, Client Email"
)
PHONE = _keys(
    "Phone, Phone 1, Phone Number, Primary Phone, Phone 1 - Value, Mobile Phone Number, Mobile,"
    " Mobile Phone, Cell, Cell Phone, Telephone, Tel, Home Phone, Work Phone"
)
NOTES = _keys("Notes, Note, Background, Comments, Comment, Message, Remarks, Description")
STAGE = _keys("Stage, Lifecycle Stage, Client Stage, Deal Stage, Status, Lead Status, Lead Stage")
GREETING = _keys("Greeting, Preferred Name")
LANGUAGE = _keys("Language, Preferred Language")
TIME_ZONE = _keys("Time Zone, Timezone")
CUSTOM_FIELDS = _keys("Custom Fields")
PROPERTY_TYPE = _keys("Property Type, Type of Property, Home Type")

# Street, city, state and postal code, as they stand together in one export; the address of the
# property itself comes before where the client lives.
ADDRESSES = (
    (
        _keys("Property Address, Property Street, Address of Property"),
        _keys("Property City"),
        _keys("Property State"),
        _keys("Property Postal Code, Property Zip, Property Zip Code"),
    ),
    (
        _keys("Address, Street Address, Street, Full Address, Mailing Address, Home Address"),
        _keys("City, Town"),
        _keys("State, State/Region, Province, Region"),
        _keys("Zip, Zip Code, Postal Code, Postcode"),
    ),
    (
        _keys("Address 1 - Street, Address 1"),
        _keys("Address 1 - City"),
        _keys("Address 1 - State, Address 1 - Region"),
        _keys("Address 1 - Zip, Address 1 - Postal Code"),
    ),
)


_STAGES: Final[dict[Stage, tuple[str, ...]]] = {
    "lead": _keys(
        "Lead, Leads, New, New Lead, Open, In Progress, Attempted Contact, Attempted to Contact,"
        " Contacted, Connected, Spoke with Customer, Unresponsive, Bad Timing, Prospect,"
        " Hot Prospect, Hot Prospects, Hot, Warm, Cold, A - Hot, B - Warm, C - Cold, Nurture,"
        " Subscriber, Marketing Qualified Lead, MQL, Sales Qualified Lead, SQL, Qualified"
    ),
    "negotiating": _keys(
        "Negotiating, Negotiation, In Negotiation, Opportunity, Open Deal, Buyer, Buyers, Seller,"
        " Sellers, Active, Active Client, Active Clients, Active Buyer, Active Seller, Appointment,"
        " Appointment Set, Met with Customer, Showing Homes, Listing Agreement, Active Listing,"
        " Submitting Offers, Offer, Offer Made"
    ),
    "under_contract": _keys("Under Contract, Pending, In Escrow, Escrow, Contract"),
    "closed": _keys(
        "Closed, Closed Won, Won, Sold, Sale Closed, Past Client, Past Clients, Customer, Client,"
        " Evangelist"
    ),
    "lost": _keys(
        "Lost, Closed Lost, Trash, Dead, Junk, Archived, Rejected, Unqualified, Not Interested,"
        " Do Not Contact, Unsubscribed"
    ),
}
_PROPERTY_TYPES: Final[dict[PropertyType, tuple[str, ...]]] = {
    "residential": _keys(
        "Residential, House, Home, Single Family, Single Family Home, Single Family Residence,"
        " Single Family Residential, SFR, SFH, Condo, Condominium, Townhouse, Townhome,"
        " Multifamily, Multi Family Home, Duplex, Triplex, Fourplex, Apartment, Co-op,"
        " Loft, Villa, Bungalow, Cottage, Cabin, Manufactured, Manufactured Home, Mobile Home"
    ),
    "commercial": _keys(
        "Commercial, Retail, Office, Industrial, Warehouse, Mixed Use, Restaurant, Hotel,"
        " Hospitality, Medical, Shop, Store, Storefront, Business"
    ),
    "land": _keys(
        "Land, Lot, Lots, Lots/Land, Vacant Land, Vacant Lot, Raw Land, Acreage, Farm, Ranch,"
        " Farm and Ranch, Farm/Ranch, Agricultural"
    ),
    "other": _keys("Other, Parking, Garage, Storage, Boat Slip"),
}
STAGE_OF: Final = {word: stage for stage, words in _STAGES.items() for word in words}
PROPERTY_TYPE_OF: Final = {word: kind for kind, words in _PROPERTY_TYPES.items() for word in words}
