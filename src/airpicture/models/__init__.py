"""Models: what we assume of motion, measurement and chance, as the arrays that kernels read."""

from airpicture.models.motion import gate_limits, motion_settings

__all__ = ["gate_limits", "motion_settings"]
