"""From tokens to topics: corpus, LDA, coherence, alignment, labels."""
