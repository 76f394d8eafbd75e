"""One-click ways out of what a sampling method does not take. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from experiments.forms.sampler_cards import sampler_cards
from experiments.forms.sweep_fields import SweepFields
from experiments.samplers import SAMPLERS, load_sampler


@dataclass(frozen=True, slots=True)
class QuickFix:
    """A button that sets `field` to `value`; `place` is the field below which it stands.

    `reason` is what it is a way out of; all buttons of one place have the same.
    """

    place: str
    field: str
    value: str
    label: str
    reason: str

    @property
    def posted(self) -> str:
        """Return what the button sends where scripts are off."""
        return f"{self.field}={self.value}"


def quick_fixes(fields: SweepFields) -> list[QuickFix]:
    """Return the buttons for what is wrong between sampling, policy and search space."""
    name = fields.get("sampling")
    if name not in SAMPLERS:
        return []
    wider = f"{name}_extended"
    others = [wider] if wider in SAMPLERS else []
    fixes = []
    if not load_sampler(name).allows_policy and fields.get("policy") not in ("", "none"):
        reason = f"{load_sampler(name).label} sampling takes no early termination:"
        fixes.append(QuickFix("policy", "policy", "none", "Remove the policy", reason))
        fixes += [_use(other, "policy", reason) for other in others]
    if any(card.name == name and card.misfits for card in sampler_cards(fields)):
        reason = "To leave the search space as it is:"
        fixes += [_use(other, "sampling", reason) for other in others]
    return fixes


def apply_fix(fields: SweepFields, posted: str) -> SweepFields | None:
    """Return the fields after such a button; None when `posted` is none of them."""
    for fix in quick_fixes(fields):
        if fix.posted == posted:
            return fields.with_texts(**{fix.field: fix.value})
    return None


def _use(name: str, place: str, reason: str) -> QuickFix:
    return QuickFix(place, "sampling", name, f"Use {load_sampler(name).label}", reason)
