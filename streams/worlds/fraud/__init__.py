"""The synthetic card world: genuine spending, its look-alikes, and fraud campaigns."""
