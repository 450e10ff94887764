"""A report: one HTML page that holds saved runs with their tables, figures and provenance, and needs nothing else."""
