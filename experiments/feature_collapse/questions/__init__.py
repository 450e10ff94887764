"""Questions beyond the paper: an experiment each, and what it derives from its runs."""
