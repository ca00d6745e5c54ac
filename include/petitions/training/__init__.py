"""Pre-training of the small BERT and ELMo."""
