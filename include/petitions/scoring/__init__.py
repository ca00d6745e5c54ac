"""What the encoders say of a petition: next sentence, masked words, topic similarity."""
