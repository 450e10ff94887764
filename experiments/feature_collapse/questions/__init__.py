"""Questions beyond the paper: one experiment for each, and the variables derived from its runs."""
