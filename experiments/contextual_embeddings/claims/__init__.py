"""The claims of contextual embeddings, each against an oracle that shares none of its formulas."""
