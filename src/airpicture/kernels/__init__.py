"""Numba kernels: arrays in, arrays out. Imports numpy, numba and itself only."""
