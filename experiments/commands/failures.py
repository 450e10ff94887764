"""What keeps a command from its work that is no fault of its input: too little memory, no such device."""

from simlab.validation import first_line

# What libraries say where memory, address space or threads run out.
_OUT_OF_MEMORY = (
    *("RESOURCE_EXHAUSTED", "can't start new thread", "Out of memory", "Cannot allocate memory"),
    "failed to map segment",
)


def describe_failure(error: Exception) -> str | None:
    """Return an error in one line, or None for one that nobody expects."""
    text = first_line(error)
    if isinstance(error, MemoryError):
        return text if "memory" in text or "bytes" in text else f"out of memory: {text or 'ask for less at once'}"
    if any(sign in str(error) for sign in _OUT_OF_MEMORY):
        return f"out of memory: {text}"
    if text.startswith("Unable to initialize backend"):  # the platform that JAX_PLATFORMS names
        return f"JAX_PLATFORMS: {text}"
    return None
