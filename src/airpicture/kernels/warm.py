"""Whether the kernels are compiled already: a command says so before it keeps its user waiting."""

from typing import Final

from airpicture.kernels._jit import compiled

__all__ = ("MODES", "compiled")

MODES: Final = ("modes.decode_messages",)  # stands for all that Mode S recordings need
