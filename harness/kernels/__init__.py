"""What the kernels of features and graph cost, by how many cards or accounts they know."""
