"""Token counts: of texts by tokenizer family, of images, and of whole requests."""
