"""What each part of the model is worth: the same fit with the part left out, or put in, measured on later events."""
