"""From the text of a petition to its tokens."""
