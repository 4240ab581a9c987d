"""Settings of composer."""

from datetime import timedelta
from typing import Literal

from pydantic import Field

from chassis.mongo.daily_limit import DailyLimit
from chassis.process.settings import CalendarSettings, RetrySettings
from chassis.start.environment import Secret, Text
from services.composer.draft import KEPT

ResponseFormat = Literal["json_schema", "json_object", "none"]


class ComposerSettings(RetrySettings, CalendarSettings):
    """Without `openai_api_key` letters are written from templates."""

    call_slots_max: int = Field(default=512, ge=1, le=1024)
    openai_api_key: Secret = None
    """Key of the language model; without it templates write the emails."""
    openai_base_url: Text = None
    """Any server that speaks OpenAI's protocol; empty is OpenAI."""
    openai_model: str = "gpt-4o-mini"
    """Name of the language model."""
    openai_response_format: ResponseFormat = "json_schema"
    """What the server can promise of its answer; `none` where it knows neither of the others."""
    letters_per_day: int = Field(default=300, ge=0, le=10_000)
    """Letters that an agent has written in any day of the calendar; 0 is any number."""
    draft_days: int = Field(default=KEPT.days, ge=1, le=365)
    """Days of the calendar that a letter waits for approval before it is discarded."""

    @property
    def kept(self) -> timedelta:
        """How long a letter waits for approval, from when it is written and due."""
        return self.draft_days * self.day

    @property
    def letter_limit(self) -> DailyLimit:
        """The limit of letters; one takes two calls at most, and time to be stored."""
        return DailyLimit(self.letters_per_day, self.day, 2 * self.call + timedelta(seconds=5))
