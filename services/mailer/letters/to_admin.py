"""Letters to the admin."""

from contracts.composer import Letter


def letter_to_admin(admin_email: str, subject: str, body: str) -> Letter:
    """Return a letter from RealtorOS to its admin; the subject says who writes, too."""
    return Letter(
        to_name="RealtorOS admin",
        to_email=admin_email,
        from_name="RealtorOS",
        subject=f"RealtorOS: {subject}",
        body=body,
    )
