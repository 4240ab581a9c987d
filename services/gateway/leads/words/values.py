"""The words in other people's cells: stages, property types and days."""

import re
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Final

from contracts.crm import PropertyType, Stage
from services.gateway.leads.words.vocabulary import key, keys

_STAGES: Final[dict[Stage, tuple[str, ...]]] = {
    "lead": keys(
        "Lead, Leads, New, New Lead, New Leads, Open, In Progress, Attempted Contact,"
        " Attempted to Contact, Contacted, Connected, Spoke with Customer, Unresponsive,"
        " Bad Timing, Prospect, Hot Prospect, Hot Prospects, Hot, Warm, Cold, A - Hot, B - Warm,"
        " C - Cold, Nurture, Subscriber, Marketing Qualified Lead, MQL, Sales Qualified Lead, SQL,"
        " Qualified, Interessent, Neu, Nuevo, Prospecto"
    ),
    "negotiating": keys(
        "Negotiating, Negotiation, In Negotiation, Opportunity, Open Deal, Buyer, Buyers, Seller,"
        " Sellers, Active, Active Client, Active Clients, Active Buyer, Active Seller, Appointment,"
        " Appointment Set, Met with Customer, Showing Homes, Listing Agreement, Active Listing,"
        " Submitting Offers, Offer, Offer Made"
    ),
    "under_contract": keys("Under Contract, Pending, In Escrow, Escrow, Contract"),
    "closed": keys(
        "Closed, Closed Won, Won, Sold, Sale Closed, Past Client, Past Clients, Customer, Client,"
        " Evangelist, Kunde, Cliente"
    ),
    "lost": keys(
        "Lost, Closed Lost, Trash, Dead, Junk, Junk Lead, Archived, Rejected, Unqualified,"
        " Not Qualified, Not Interested, Lost Lead, Do Not Contact, Unsubscribed"
    ),
}
_PROPERTY_TYPES: Final[dict[PropertyType, tuple[str, ...]]] = {
    "residential": keys(
        "Residential, House, Home, Single Family, Single Family Home, Single Family Residence,"
        " Single Family Residential, SFR, SFH, Condo, Condominium, Townhouse, Townhome,"
        " Multifamily, Multi Family Home, Duplex, Triplex, Fourplex, Apartment, Co-op,"
        " Loft, Villa, Bungalow, Cottage, Cabin, Manufactured, Manufactured Home, Mobile Home,"
        " Haus, Wohnung, Casa, Piso, Apartamento"
    ),
    "commercial": keys(
        "Commercial, Retail, Office, Industrial, Warehouse, Mixed Use, Restaurant, Hotel,"
        " Hospitality, Medical, Shop, Store, Storefront, Business"
    ),
    "land": keys(
        "Land, Lot, Lots, Lots/Land, Vacant Land, Vacant Lot, Raw Land, Acreage, Farm, Ranch,"
        " Farm and Ranch, Farm/Ranch, Agricultural"
    ),
    "other": keys("Other, Parking, Garage, Storage, Boat Slip"),
}
STAGE_OF: Final = {word: stage for stage, words in _STAGES.items() for word in words}
PROPERTY_TYPE_OF: Final = {word: kind for kind, words in _PROPERTY_TYPES.items() for word in words}
# Words in a column of stages that are none: about a newsletter, or that nothing was chosen.
_NO_STAGE: Final = frozenset(
    keys("None, -None-, n/a, Unknown, Enabled, Disabled, Subscribed, Confirmed, Unconfirmed")
)
_ISO = re.compile(r"(\d{4})([-/.]?)(\d{1,2})\2(\d{1,2})(?!\d)")
_DAY = re.compile(r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4}|\d{2})(?!\d)")
_WEEKDAY = r"(?:[^\W\d]+,? )?"
_ORDINAL, _NAME = r"(\d{1,2})(?:st|nd|rd|th|\.)?", r"([^\W\d]{3,10})\.?"
_YEAR = r"(\d{4}|\d{2})(?!\d)"
_DAY_MONTH = re.compile(rf"{_WEEKDAY}{_ORDINAL}[- ](?:de )?{_NAME},?[- ](?:de )?{_YEAR}")
_MONTH_DAY = re.compile(rf"{_WEEKDAY}{_NAME}[- ]{_ORDINAL},?[- ]{_YEAR}")
# Spreadsheets count days from here.
_SERIAL = re.compile(r"([34]\d{4})(?:\.\d+)?")
_SERIAL_ZERO = date(1899, 12, 30)
# English, German and Spanish.
_MONTHS: Final = {
    name: number
    for number, names in enumerate(
        (
            *("jan ene jän", "feb", "mar mär mrz", "apr abr", "may mai", "jun", "jul"),
            *("aug ago", "sep", "oct okt", "nov", "dec dez dic"),
        ),
        start=1,
    )
    for name in names.split()
}
_LAST_MONTH = 12
_FIRST_OF_1900 = 69


def is_no_stage(cell: str) -> bool:
    """Return whether a cell among stages says nothing of one."""
    return key(cell) in _NO_STAGE


def months_first(cells: Iterable[str]) -> bool:
    """Return whether the days of a column begin with the month, as 01/31/2024 does in the US.

    One that cannot, such as 31/01/2024, tells for all.
    """
    found = [match for cell in cells if (match := _DAY.match(cell)) and match[2] != "."]
    return not any(int(match[1]) > _LAST_MONTH for match in found)


def day_in(cell: str, *, month_first: bool, today: date) -> str:
    """Return the day (ISO 8601) that a cell begins with, or nothing; none is after today."""
    try:
        day = _day_in(cell, month_first=month_first)
    except ValueError:
        return ""
    return day.isoformat() if day and day <= today else ""


def _day_in(cell: str, *, month_first: bool) -> date | None:
    if match := _ISO.match(cell):
        return date(int(match[1]), int(match[3]), int(match[4]))
    if match := _DAY.match(cell):
        month, day = int(match[1]), int(match[3])
        if match[2] == "." or not month_first:
            month, day = day, month
        return date(_year(match[4]), month, day)
    if match := _DAY_MONTH.match(cell):
        return date(_year(match[3]), _month(match[2]), int(match[1]))
    if match := _MONTH_DAY.match(cell):
        return date(_year(match[3]), _month(match[1]), int(match[2]))
    if match := _SERIAL.fullmatch(cell):
        return _SERIAL_ZERO + timedelta(days=int(match[1]))
    return None


def _month(name: str) -> int:
    return _MONTHS.get(name.casefold()[:3], 0)


def _year(digits: str) -> int:
    """Return the year; of two digits, as POSIX reads them: 69 is 1969."""
    year = int(digits)
    if len(digits) > len("69"):
        return year
    return year + (1900 if year >= _FIRST_OF_1900 else 2000)
