"""`bench ablate`: what each part of the model is worth, over several worlds and on a protocol's own weeks."""
