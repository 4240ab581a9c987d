"""A no to emails is one, however a program spells it; what is about something else is none."""

import pytest

from services.gateway.leads.parsing import parse
from services.gateway.leads.words.opt_outs import (
    answer_of,
    has_no_word,
    is_about_emails_alone,
    is_yes,
)

YES_IS_NO = """
Unsubscribed; Is Unsubscribed; isUnsubscribed; Email - Unsubscribed; Unsubscribed from all email;
Opt Out; Optout; Email Opt-Out; HasOptedOutOfEmail; Email Address is Opted-Out; Opt-Out Status;
Opted out of email: One to One; Opted out of email: Marketing Information; Marketing Email Opt-Out;
Do Not Email; DoNotEmail; donotbulkemail; Do not allow Emails; Don't email; Do Not Contact; DNC;
dnc_email; No Emails; EMAIL_BLACKLISTED; blocklisted; Hard Bounced; Bounced Email; Marked as Spam;
Keine E-Mails; Abgemeldet am; Werbesperre; Dado de baja; No quiere correos; UNSUB_TIME; CLEAN_TIME;
UNSUB_CAMPAIGN_TITLE; Opted Out Date; Date Opted Out; Email Bounced Reason; Email Hard Bounce Reason
"""
NO_IS_NO = """
Opt In; Email Opt-In Status; Subscribed; Is Subscribed; Email Consent; GDPR consent; Newsletter;
Accepts Email Marketing; Receive Emails; Can Email; Email Allowed; Suscrito
"""
WORDS_MAY_BE = """
Status; Email 1 - Status; Email permission status; Tags; Lead Status; Lifecycle Stage; hashtags;
Group Membership; Smart Lists; Schlagwörter; Etiquetas
"""
OTHERS = """
Optin Time; CONFIRM_TIME; OPTIN_IP; Do Not Call; dnc_phone; dnc_text; SMS Opt Out; Opt out of SMS;
Do not fax; Direct Mail Opt Out; Keine Anrufe; SMS consent; Unsubscribe Link; unsubscribe_url;
Email; Name; Notes; Phone; Mail; Emails Bounced Count; No. of emails sent; Number of emails;
Marketing emails delivered; Subscription date; Last email sent; No of bedrooms; Contact owner
"""
NO_WORDS = """
Do Not Email; DNC; Buyer / Do Not Email; DNC/DNE; Do Not Email (2023); Status: Do Not Email;
unsubscribed; Opted Out; hard_bounced; Cleaned; Bounced; Buyer, Unsubscribed; blocklisted;
Spam Complaint; Abgemeldet; Baja; Suppressed; Buyer - Do not email; VIP | email opt out;
Asked to unsubscribe; Non-Subscribed; not_subscribed; #DoNotEmail; No quiere correos;
Does not want emails; Never email; No more emails
"""
OTHER_WORDS = """
Buyer; N/A; Active; Subscribed; opted_in; Do Not Call; No SMS; CA; Seller / Buyer; Newsletter;
Email Campaign 2023; No answer; No contact info; Not interested in condos; Nonprofit; No phone;
Opted out of texts; Do not text; Contacted by email; No reply to email; Never opened an email;
Not opted out; not unsubscribed; Never bounced; No response to my emails; Has not opted out
"""


def listed(words: str) -> list[str]:
    return [" ".join(word.split()) for word in words.split(";")]


@pytest.mark.parametrize("title", listed(YES_IS_NO))
def test_a_column_of_refusals_is_known(title: str) -> None:
    assert answer_of(title) is is_yes
    assert is_about_emails_alone(title)


@pytest.mark.parametrize("title", listed(NO_IS_NO))
def test_a_no_below_a_yes_to_emails_is_one(title: str) -> None:
    says_no = answer_of(title)
    assert says_no
    assert is_about_emails_alone(title)
    assert [cell for cell in ("No", "false", "Opted Out", "0") if not says_no(cell)] == []
    assert [cell for cell in ("", "Yes", "TRUE", "2022-01-01") if says_no(cell)] == []


@pytest.mark.parametrize("title", listed(WORDS_MAY_BE))
def test_a_column_of_words_may_hold_a_no(title: str) -> None:
    assert answer_of(title) is has_no_word


@pytest.mark.parametrize("title", listed(OTHERS))
def test_other_columns_say_nothing_of_emails(title: str) -> None:
    assert answer_of(title) is None


@pytest.mark.parametrize("cell", listed(NO_WORDS))
def test_a_word_that_says_no_is_found_among_others(cell: str) -> None:
    assert has_no_word(cell)


@pytest.mark.parametrize("cell", listed(OTHER_WORDS))
def test_other_words_are_no_refusals(cell: str) -> None:
    assert not has_no_word(cell)


@pytest.mark.parametrize(
    "cell", ["✓", "☑", "x", "Yes", "1", "ja", "Sí", "2022-01-01", "Do Not Allow"]
)
def test_what_is_filled_says_yes(cell: str) -> None:
    assert is_yes(cell)


@pytest.mark.parametrize(
    "cell", ["", "-", "—", "☐", "❌", "No", "FALSE", "0", "0000-00-00 00:00:00", "n/a", "Opted in"]
)
def test_what_means_nothing_or_no_does_not(cell: str) -> None:
    assert not is_yes(cell)


@pytest.mark.parametrize(
    ("header", "cells"), [("Status", "Yes"), ("Tags", "Stop"), ("Werbung?", "nein danke")]
)
def test_a_mapping_makes_any_column_one_of_refusals(header: str, cells: str) -> None:
    text = f"name,email,{header}\nAnn,ann@x.example,{cells}\n"
    [lead] = parse(text, mapping={header: "opt_out"}).leads
    assert lead.suppressed


@pytest.mark.parametrize("answers", [("no", "yes"), ("yes", "no"), ("yes", "yes")])
def test_a_no_on_either_line_of_a_person_is_one(answers: tuple[str, str]) -> None:
    lines = "".join(f"Ann,dup@x.example,{answer}\n" for answer in answers)
    parsed = parse(f"name,email,Unsubscribed\n{lines}")
    assert [lead.suppressed for lead in parsed.leads] == [True]
    assert [complaint.line for complaint in parsed.complaints] == [3]
