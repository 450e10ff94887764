"""How fast simlab is, beside the machine's limits and beside what its users would write: ``simlab bench``."""
