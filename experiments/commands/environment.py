"""The environment of a command that computes: incompatible settings of JAX, and missing devices."""

import os
from collections.abc import Callable

from simlab.validation import invalid

# Settings that a command overrides: the required value, and the reason.
_NEEDED = {
    "jax_debug_nans": (False, "diverged members are recorded, and undefined values are nan"),
    "jax_disable_jit": (False, "programs are compiled ahead of time"),
    "jax_numpy_dtype_promotion": ("standard", "real numbers take the type of the weights"),
}


def adapt_settings(say: Callable[[str], None]) -> None:
    """Reset incompatible settings of JAX, and report each in one line."""
    import jax

    for name, (needed, reason) in _NEEDED.items():
        value = getattr(jax.config, name)
        if value != needed:
            say(f"{name.upper()}={value} is ignored: {reason}")
            jax.config.update(name, needed)


def count_devices() -> int:
    """Return the number of devices of this process, which starts JAX.

    Raises:
        ValueError: the platform in ``JAX_PLATFORMS`` is not available.
    """
    import jax

    try:
        return len(jax.local_devices())
    except (AssertionError, RuntimeError) as error:
        platforms = os.environ.get("JAX_PLATFORMS")
        if not platforms:
            raise
        raise invalid("JAX_PLATFORMS", "a platform available to JAX, such as cpu", platforms) from error
