"""The feature kernel: one stateful computation, used offline for training and online for serving."""
