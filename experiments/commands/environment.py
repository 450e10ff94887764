"""The environment of a command that computes: settings of JAX under which simlab cannot run, and missing devices."""

import os
from collections.abc import Callable

from simlab.validation import invalid

# Settings that a command goes without: the value that it needs, and why.
_NEEDED = {
    "jax_debug_nans": (False, "a member that diverges is recorded, and what has no value is nan"),
    "jax_disable_jit": (False, "programs are compiled ahead of time"),
    "jax_numpy_dtype_promotion": ("standard", "real numbers take the type of the weights"),
}


def adapt_settings(say: Callable[[str], None]) -> None:
    """Set back the settings of JAX under which nothing runs, with one line for each."""
    import jax

    for name, (needed, reason) in _NEEDED.items():
        value = getattr(jax.config, name)
        if value != needed:
            say(f"{name.upper()}={value} is ignored: {reason}")
            jax.config.update(name, needed)


def count_devices() -> int:
    """Return the number of devices of this process, which starts JAX.

    Raises:
        ValueError: the platform that ``JAX_PLATFORMS`` names is not here.
    """
    import jax

    try:
        return len(jax.local_devices())
    except (AssertionError, RuntimeError) as error:
        platforms = os.environ.get("JAX_PLATFORMS")
        if not platforms:
            raise
        raise invalid("JAX_PLATFORMS", "a platform that JAX finds here, such as cpu", platforms) from error
