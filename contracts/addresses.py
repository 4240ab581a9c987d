"""One person, one address: the canonical form by which email addresses are compared.

The local part in NFC and lower case, the domain as its A-labels (IDNA 2008, RFC 5891), so that
`Jo@bücher.example` and `jo@xn--bcher-kva.example` are one. Nothing is folded further: `straße` and
`strasse` are two. Case and spelling as they were typed are for display.
"""

import re
from itertools import product
from unicodedata import normalize

import idna

# RFC 1035, 2.3.4. U-labels are no longer than A-labels, so what is longer has none.
_MAX_DOMAIN = 253
# Those that IDNA 2003 and UTS 46 take for a full stop.
_DOTS = re.compile("[.\u3002\uff0e\uff61]")


def canonical_address(address: str) -> str:
    """Return the form to compare and to key by; defined for every text, also for no address."""
    local, at, domain = address.strip().rpartition("@")
    return f"{_lower(local)}@{ascii_domain(domain)}" if at else _lower(domain)


def wire_address(address: str) -> str:
    """Return the address as it is sent: as typed, but with the A-labels of its domain."""
    local, at, domain = address.rpartition("@")
    return address if domain.isascii() else f"{local}{at}{ascii_domain(domain)}"


def display_address(address: str) -> str:
    """Return a canonical address as a person reads it, its domain as U-labels."""
    local, at, domain = address.rpartition("@")
    return f"{local}{at}{_u_labels(domain)}" if at else domain


def ascii_domain(domain: str) -> str:
    """Return the domain's A-labels, in lower case; a label that has none stays."""
    lower = _lower(domain)
    if domain.isascii() or len(lower) > _MAX_DOMAIN:
        return lower
    return ".".join(map(_a_label, _DOTS.split(domain)))


def keys_of(address: str) -> tuple[str, ...]:
    """Return every key under which the address may be stored, the canonical one first.

    Up to 0.1.0 a key was the address in folded case, as it was spelled: composed or decomposed,
    its domain in U-labels or A-labels.
    """
    canonical = canonical_address(address)
    local, at, domain = address.strip().rpartition("@")
    a_labels = ascii_domain(domain) if at else domain
    domains = (domain, a_labels, *_spellings(_u_labels(a_labels) if at else domain))
    older = (
        f"{name}{at}{host}".casefold()
        for name, host in product((local, *_spellings(local)), domains)
    )
    return tuple(dict.fromkeys((canonical, *older)))


def _lower(text: str) -> str:
    return normalize("NFC", normalize("NFC", text).lower())


def _spellings(text: str) -> tuple[str, str]:
    return normalize("NFC", text), normalize("NFD", text)


def _a_label(label: str) -> str:
    try:
        return idna.encode(label, uts46=True).decode()
    except UnicodeError:
        return _lower(label)


def _u_labels(a_labels: str) -> str:
    return ".".join(map(_u_label, a_labels.split(".")))


def _u_label(label: str) -> str:
    try:
        return idna.decode(label)
    except UnicodeError:
        return label
