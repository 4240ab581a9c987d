"""The checker's findings, by kind."""

from collections import Counter
from dataclasses import dataclass
from typing import Literal

Kind = Literal["lost", "duplicate", "early", "after-opt-out", "unwanted", "stale state", "stuck"]


@dataclass(frozen=True, slots=True)
class Anomaly:
    """One broken guarantee. `about` names a stream, follow-up or record; no field is personal."""

    kind: Kind
    about: str
    detail: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.about}: {self.detail}"


@dataclass(frozen=True)
class Verdict:
    """The checker's result for a run.

    `ends` counts the planned follow-ups by their end, `open` for those without one; `unknown`
    has one line for each that ended unknown; `late` lists calls that were accepted after their
    `give_up_at` without harm.
    """

    anomalies: tuple[Anomaly, ...]
    ends: Counter[str]
    unknown: tuple[str, ...] = ()
    late: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return the report that a failed run prints."""
        kinds = Counter(anomaly.kind for anomaly in self.anomalies)
        ends = ", ".join(f"{count} {end}" for end, count in self.ends.most_common())
        found = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())
        lines = [f"{self.ends.total()} follow-ups: {ends or 'none'}"]
        lines += [f"{len(self.anomalies)} anomalies: {found}" if found else "no anomalies"]
        lines += [f"  {anomaly}" for anomaly in self.anomalies]
        for name, texts in (("unknown", self.unknown), ("late", self.late)):
            lines += [f"{len(texts)} {name}:", *(f"  {text}" for text in texts)] if texts else []
        return "\n".join(lines)
