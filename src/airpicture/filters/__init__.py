"""Filters: how shared-out plots change what tracks know. Prediction happens at the gate, where its time is known."""

from airpicture.filters.update import Update, update

__all__ = ["Update", "update"]
