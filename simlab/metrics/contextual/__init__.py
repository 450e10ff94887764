"""What the measures of contextual embeddings are made of, and what follows from streamed moments."""
