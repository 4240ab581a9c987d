"""Second factor: codes of an authenticator app (TOTP, RFC 6238), and recovery codes.

Each code is good once, over all gateways: accepting it is one conditional write.
"""

import base64
import hashlib
import secrets
import time
from typing import Final, NamedTuple
from uuid import UUID

import structlog
from pyotp import TOTP, random_base32
from pyotp.exceptions import OTPVerificationError

from chassis.mongo.client import Database, Raw
from contracts.addresses import display_address
from services.gateway.accounts.documents import AccountDocument, SecondFactor
from services.gateway.accounts.login_limits import LoginLimits
from services.gateway.errors import Conflict, InvalidField, SecondFactorRequired

ISSUER: Final = "RealtorOS"
RECOVERY_CODES: Final = 10
_RECOVERY_BYTES: Final = 10
# Steps of 30 seconds that a clock may be ahead or behind (RFC 6238, 5.2 recommends one).
_WINDOW: Final = 1
_WRONG: Final = "is wrong or was used before: enter the next code of the app, or a recovery code"
_MISSING: Final = "the account has a second factor: send `code`, from the app or a recovery code"

log = structlog.get_logger(__name__)


class Enrolment(NamedTuple):
    """What an authenticator app has to know; `uri` is for a QR code."""

    secret: str
    uri: str


class SecondFactors:
    """The second factors of all accounts."""

    def __init__(self, database: Database, limits: LoginLimits) -> None:
        self._accounts = database[AccountDocument.Settings.name]
        self._limits = limits

    async def begin(self, account: AccountDocument, code: str | None) -> Enrolment:
        """Store a new secret, of no effect until a code of it confirms it.

        To replace a factor needs its code. Raises SecondFactorRequired, TooManyRequests.
        """
        await self.require(account, code)
        secret = random_base32()
        await self._accounts.update_one(
            {"_id": account.id}, {"$set": {"unconfirmed_secret": secret}}
        )
        uri = TOTP(secret, name=display_address(account.email), issuer=ISSUER).provisioning_uri()
        return Enrolment(secret, uri)

    async def confirm(self, account: AccountDocument, code: str, session: UUID | None) -> list[str]:
        """Put the new secret in force, and return the recovery codes; all other sessions end.

        Raises Conflict, InvalidField, TooManyRequests.
        """
        if (secret := account.unconfirmed_secret) is None:
            raise Conflict("no second factor waits to be confirmed: begin with POST /api/auth/totp")
        await self._limits.count_code(account.id)
        if (step := _step_of(secret, code)) is None:
            raise InvalidField("code", "is not the app's code for now: check the device's time")
        codes = [_recovery_code() for _ in range(RECOVERY_CODES)]
        factor = SecondFactor(secret=secret, last_step=step, recovery=list(map(_digest, codes)))
        changed = await self._accounts.update_one(
            {"_id": account.id, "unconfirmed_secret": secret},
            {
                "$set": {"second_factor": factor.model_dump(), "kept_session": session},
                "$unset": {"unconfirmed_secret": 1},
                "$inc": {"sessions_version": 1},
            },
        )
        if not changed.modified_count:
            raise Conflict("another request has changed the second factor: begin again")
        await self._limits.code_was_right(account.id)
        log.info("second_factor_added", agent_id=str(account.id))
        return codes

    async def remove(self, account: AccountDocument, code: str | None) -> None:
        """Remove the factor, which needs a code. Raises SecondFactorRequired, TooManyRequests."""
        await self.require(account, code)
        await self._accounts.update_one(
            {"_id": account.id}, {"$unset": {"second_factor": 1, "unconfirmed_secret": 1}}
        )
        log.info("second_factor_removed", agent_id=str(account.id))

    async def require(self, account: AccountDocument, code: str | None) -> None:
        """Accept a code of the account's second factor, if it has one.

        Raises SecondFactorRequired, TooManyRequests.
        """
        if account.second_factor is None:
            return
        if code is None:
            raise SecondFactorRequired(_MISSING)
        await self._limits.count_code(account.id)
        if not await self._spend(account.id, account.second_factor, code):
            log.info("second_factor_refused", agent_id=str(account.id))
            raise SecondFactorRequired(_WRONG)
        await self._limits.code_was_right(account.id)

    async def _spend(self, agent_id: UUID, factor: SecondFactor, code: str) -> bool:
        """Return whether the code is right and was not used before; from now on it is used."""
        where: Raw = {"second_factor.recovery": _digest(code)}
        change: Raw = {"$pull": where}
        if (step := _step_of(factor.secret, code)) is not None:
            last_step = "second_factor.last_step"
            where = {"second_factor.secret": factor.secret, last_step: {"$lt": step}}
            change = {"$set": {last_step: step}}
        updated = await self._accounts.update_one({"_id": agent_id, **where}, change)
        return bool(updated.modified_count)


def _step_of(secret: str, code: str) -> int | None:
    """Return the time step that the code is of, now or just before or after; else None."""
    try:
        return TOTP(secret).verify_and_get_timecode(
            _plain(code), for_time=time.time(), valid_window=_WINDOW
        )
    except OTPVerificationError:
        return None


def _recovery_code() -> str:
    """Return 80 random bits as four groups of letters and digits."""
    text = base64.b32encode(secrets.token_bytes(_RECOVERY_BYTES)).decode().lower()
    return "-".join(text[start : start + 4] for start in range(0, len(text), 4))


def _digest(code: str) -> bytes:
    """Return the hash to store: of 80 random bits, a plain hash is enough."""
    return hashlib.sha256(_plain(code).encode()).digest()


def _plain(code: str) -> str:
    return "".join(filter(str.isalnum, code)).lower()
