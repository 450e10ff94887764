"""All claims, in groups that can be checked separately."""

from collections.abc import Callable, Iterable, Iterator

from experiments.catalogue import load_attribute, merge
from experiments.registry import CATALOGUES
from experiments.verification.claim import FAIL, Claim
from simlab.validation import check_choice

# The function that checks each group of claims, as "module:function".
GROUPS = merge([catalogue.claims for catalogue in CATALOGUES])


def choose_groups(names: Iterable[str]) -> list[str]:
    """Return the named groups, or all groups if none is named; raise ``ValueError`` for an unknown name."""
    return [check_choice("name", name, GROUPS) for name in names] or list(GROUPS)


def verify(groups: Iterable[str], on_claim: Callable[[Claim], None] = lambda claim: None) -> list[Claim]:
    """Check the claims of some groups.

    Args:
        groups: from :func:`choose_groups`.
        on_claim: called with each claim once its status is known.

    Returns:
        The claims in their order. If a solver does not converge, its claim fails; no claim is omitted. JAX has the
        precision settings of a run, independent of the environment.
    """
    from simlab.runtime.settings import precision_of  # imports JAX, which would delay the command line

    claims = []
    with precision_of("float32"):  # checks in double precision enable it themselves
        for claim in _check(groups):
            claims.append(claim)
            on_claim(claim)
    return claims


def any_failed(claims: Iterable[Claim]) -> bool:
    """Return whether any claim failed; one that is not applicable has not failed."""
    return any(claim.status == FAIL for claim in claims)


def _check(groups: Iterable[str]) -> Iterator[Claim]:
    for group in groups:
        yield from load_attribute(GROUPS[group])()
