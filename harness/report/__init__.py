"""The report of a run: one HTML file that opens offline. Who only needs its words does not pay for its plots."""
