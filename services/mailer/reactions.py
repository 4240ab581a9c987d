"""Which message changes which aggregate, and by which decision."""

from operator import attrgetter
from uuid import UUID

from chassis.inbox.reactor import Reaction
from contracts.composer import EmailComposed
from contracts.mailer import RecordDelivery, email_id, suppression_id
from contracts.scheduler import DueFollowupCancelled, FollowupReassigned
from services.mailer import alert, email, notice, suppression
from services.mailer.documents import ALERTS, EMAILS, NOTICES, SUPPRESSIONS, SWITCHES
from services.mailer.sending import before_call, switch, waiting_notice


def _of_followup(event: EmailComposed | FollowupReassigned | DueFollowupCancelled) -> UUID:
    return email_id(event.followup_id)


def _of_address(report: RecordDelivery) -> UUID:
    return suppression_id(report.agent_id, report.personal.email)


queue_email = Reaction(EMAILS, _of_followup, email.queue)
withdraw_email = Reaction(EMAILS, _of_followup, before_call.withdraw_on_reassignment)
cancel_email = Reaction(EMAILS, _of_followup, before_call.withdraw_on_cancellation)
record_delivery = Reaction(EMAILS, attrgetter("email_id"), email.record)
resolve_email = Reaction(EMAILS, attrgetter("email_id"), email.resolve)
suppress_address = Reaction(SUPPRESSIONS, _of_address, suppression.suppress)
opt_out = Reaction(SUPPRESSIONS, attrgetter("suppression_id"), suppression.opt_out)
release = Reaction(SUPPRESSIONS, attrgetter("suppression_id"), suppression.release)
raise_alert = Reaction(ALERTS, alert.alert_id, alert.raise_alert)
queue_notice = Reaction(NOTICES, attrgetter("notice_id"), notice.queue)
tell_of_limit = Reaction(NOTICES, waiting_notice.notice_id, waiting_notice.queue)
pause_sending = Reaction(SWITCHES, attrgetter("sending_id"), switch.pause)
resume_sending = Reaction(SWITCHES, attrgetter("sending_id"), switch.resume)
