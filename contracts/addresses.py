"""One person, one address: the canonical form by which email addresses are compared.

The local part in NFC and lower case, the domain as its A-labels (IDNA 2008, RFC 5891), so that
`Jo@bücher.example` and `jo@xn--bcher-kva.example` are one. Nothing is folded further: `straße` and
`strasse` are two. Case and spelling as they were typed are for display.
"""

import unicodedata

import idna


def canonical_address(address: str) -> str:
    """Return the form to compare and to key by; defined for every text, also for no address."""
    local, at, domain = unicodedata.normalize("NFC", address.strip()).rpartition("@")
    return f"{unicodedata.normalize('NFC', local.lower())}{at}{ascii_domain(domain)}"


def ascii_domain(domain: str) -> str:
    """Return the domain's A-labels, as it is written on the wire; in lower case if it has none."""
    try:
        return idna.encode(domain, uts46=True).decode()
    except idna.IDNAError:
        return domain.lower()


def unicode_domain(domain: str) -> str:
    """Return the domain's U-labels; in lower case if it has none."""
    try:
        return idna.decode(domain, uts46=True)
    except idna.IDNAError:
        return domain.lower()


def keys_of(address: str) -> tuple[str, ...]:
    """Return every key under which the address may be stored, the canonical one first.

    Up to 0.1.0 keys were the address in folded case, with the domain in either spelling.
    """
    canonical = canonical_address(address)
    local, at, domain = address.strip().rpartition("@")
    spellings = (domain, ascii_domain(domain), unicode_domain(domain))
    older = (f"{local}{at}{spelling}".casefold() for spelling in spellings)
    return tuple(dict.fromkeys((canonical, *older)))
