"""Building blocks of the measures of contextual embeddings, and measures that follow from streamed moments."""
