"""The header fields of a letter besides its addresses and its subject, in ASCII."""

from services.mailer.transports.headers import Sender
from services.mailer.transports.transport import OutgoingLetter

# RFC 5322, 2.1.1 allows lines of 998; these fields stand on one line each.
_MAX_REFERENCES = 900


def fields_of(outgoing: OutgoingLetter, sender: Sender) -> dict[str, str]:
    """Return the fields: Message-ID and thread (RFC 5322), opting out (RFC 2369, RFC 8058)."""
    fields = {"Message-ID": sender.message_id(outgoing.id)}
    if outgoing.follows:
        followed = [sender.message_id(id_) for id_ in outgoing.follows]
        fields["In-Reply-To"] = followed[-1]
        most = max(1, _MAX_REFERENCES // (len(followed[-1]) + 1))
        fields["References"] = " ".join(followed[-most:])
    if outgoing.ending:
        fields["List-Unsubscribe"] = f"<{outgoing.ending.opt_out_url}>"
        fields["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    if outgoing.automatic:
        fields["Auto-Submitted"] = "auto-generated"
    return fields
