"""Words that tell what a client's name is: titles and suffixes, companies, streets, no name at all.

Folded: in small letters, without dots. A surname that is among the companies' words only costs the
first name in the greeting.
"""

# ruff: noqa: RUF001 -- words in other scripts

from typing import Final


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# As they are written before a surname.
_TITLES: Final = """
    Mr. Mrs. Ms. Mx. Miss Mister Dr. Doctor Prof. Professor Sir Dame Lord Lady Rev. Reverend Fr.
    Father Pastor Rabbi Imam Sister Judge Hon. Honorable Capt. Captain Col. Colonel Lt.
    Lieutenant Sgt. Sergeant Maj. Gen. General Cpl. Sr. Sra. Srta. Señor Señora Señorita Dra.
    Herr Frau Mme Madame Mlle Monsieur Ing. Arq. Lic. Dott. Sig. Sig.ra Shri Smt. Sheikh Haji د.
    الدكتور السيد السيدة
"""
FOLDED_TITLES: Final = {word.casefold().replace(".", ""): word for word in _TITLES.split()}

SUFFIXES: Final = _words(
    """
    jr sr ii iii iv phd dds dmd dvm pharmd esq esquire cpa cfa cfp mba llm mph msw lcsw rpt aia
    cissp ret usn usaf usmc usa gri crs abr realtor bsc msc edd psyd obe mbe cbe pmp dpm facs
    frcs filho neto junior júnior
    """
)
# Names, too, unless in capitals or with dots.
SHORT_SUFFIXES: Final = _words("md do od pa rn np pe jd ma ms ba bs kc qc phr ra dc")

# "Abdul", "La", "De" are no names without the word behind them.
COMPOUND_STARTS: Final = _words("abdul abd abdel abu umm la de عبد أبو ابو أم")
PARTICLES: Final = _words(
    """
    van von der den de del della di da dos das du la le el al bin ibn ter ten zu af av st san
    """
)

# Of an address without a number; as the last word.
STREETS: Final = _words(
    """
    street ave avenue blvd boulevard road rd hwy highway pkwy parkway drive st strasse straße
    terrace trail crescent turnpike
    """
)

NAMELESS: Final = frozenset(
    {"n/a", "na", "none", "null", "nil", "nan", "undefined", "unknown", "test", "tbd", "tba"}
    | {"no name", "first name", "last name", "full name", "first last", "your name", "name"}
    | {"mr", "mrs", "ms", "dr", "there", "you", "me", "he", "she", "they", "hello", "hi", "hey"}
    | {"sir madam", "sir or madam", "whom it may concern", "to whom it may concern", "the"}
)

NOT_A_PERSON: Final = frozenset().union(
    # Forms of companies.
    _words(
        """
    llc inc incorporated corp corporation ltd limited lp llp lllp pllc plc gmbh ug kg ohg ag bv
    nv sarl sas srl spa oy oyj ab aps as pty pvt sdn bhd ooo ооо зао оао company companies co
        """
    ),
    # What they are called.
    _words(
        """
     group holdings holding partners partnership properties property realty realtors estates
    brokers brokerage investments investment investors capital ventures enterprises enterprise
    industries international global services service solutions systems consulting consultants
    associates association agency management development developments developers builders
    building construction contractors contracting roofing plumbing electric electrical heating
    hvac landscaping landscapes painting paving flooring remodeling renovations interiors design
    designs studio studios media marketing logistics trucking transport towing auto automotive
    motors tires garage rentals leasing storage moving cleaning laundry salon barbers spa
    fitness gym yoga dental dentistry clinic medical hospital health pharmacy veterinary
    wellness therapy chiropractic insurance financial finance bank bancorp credit mortgage
    lending loans tax accounting bookkeeping attorneys lawyers lawfirm firm offices office store
    stores shop market markets supply supplies foods catering restaurant grill grille café cafe
    coffee bakery pizza bar pub brewing brewery winery vineyards farms ranch ranches nursery
    florist flowers hotel inn motel resort suites apartments condos towers plaza mall center
    centre club society league foundation fund charity trust trusts trustee trustees church
    ministries ministry baptist methodist lutheran parish mosque synagogue university college
    academy school schools daycare technologies technology tech software labs laboratories
    networks energy solar oil gas mining airlines travel tours bros brothers sons daughters hoa
    poa department dept county authority government council committee board works products
    manufacturing mfg wholesale imports exports
        """
    ),
    # Of those who do not read letters.
    _words(
        """
     estate heirs heir deceased decedent executor executrix administrator administratrix probate
    widow widower conservator guardian guardianship beneficiary revocable irrevocable
        """
    ),
    # Whoever it may be.
    _words(
        """
     resident residents homeowner homeowners owner owners occupant occupants tenant tenants
    renter landlord neighbor neighbour buyer buyers seller sellers lead leads client customer
    prospect inquiry enquiry visitor guest anonymous contact admin info sales support reception
    manager user staff facebook zillow trulia redfin google instagram website http https unknown
        """
    ),
    # Addresses without a number.
    _words(
        """
     po box apt unit suite
        """
    ),
)
# In scripts without spaces, and what stands for a company wherever it is.
NOT_A_PERSON_PARTS: Final = (
    "公司",
    "集团",
    "集團",
    "株式会社",
    "有限会社",
    "주식회사",
    "L.L.C",
    "شركة",
)
