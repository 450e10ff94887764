"""The claims of contextual embeddings, each against an oracle that knows none of its formulas."""
