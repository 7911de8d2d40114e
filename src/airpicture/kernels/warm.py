"""Whether the kernels are compiled already: a command says so before it keeps its user waiting."""

from airpicture.kernels._jit import compiled

__all__ = ("compiled",)
