"""All claims, in groups that can be checked one by one."""

from collections.abc import Callable, Iterable, Iterator
from importlib import import_module

from experiments.verification.claim import FAIL, Claim
from simlab.validation import check_choice

# Name of a group -> the module and function that check it.
GROUPS = {
    "types": ("collapse_types", "check_types"),
    "zero-threshold": ("threshold", "check_threshold"),
    "global-optimality": ("optimality", "check_optimality"),
    "curvature": ("curvature", "check_curvature"),
    "reduction": ("reduction", "check_reduction"),
    "integral": ("integral", "check_integral"),
    "extensions": ("extensions", "check_extensions"),
    "neural-collapse": ("neural_collapse", "check_neural_collapse"),
    "factor-collapse": ("factor_collapse", "check_factor_collapse"),
}


def choose_groups(names: Iterable[str]) -> list[str]:
    """Return the groups to check, all of them if none is named; an unknown name raises ``ValueError``."""
    return [check_choice("name", name, GROUPS) for name in names] or list(GROUPS)


def verify(groups: Iterable[str], on_claim: Callable[[Claim], None] = lambda claim: None) -> list[Claim]:
    """Check the claims of some groups.

    Args:
        groups: from :func:`choose_groups`.
        on_claim: called with each claim when it is decided.

    Returns:
        The claims in their order. A solver that did not converge leaves a claim that failed, never a missing one.
    """
    claims = []
    for claim in _check(groups):
        claims.append(claim)
        on_claim(claim)
    return claims


def any_failed(claims: Iterable[Claim]) -> bool:
    """Return whether a claim failed; what is not applicable has not."""
    return any(claim.status == FAIL for claim in claims)


def _check(groups: Iterable[str]) -> Iterator[Claim]:
    for group in groups:
        module, function = GROUPS[group]
        yield from getattr(import_module(f"experiments.verification.{module}"), function)()
