"""Airpicture: from what sensors report to one recognised air picture.

The names below are the public interface; each is loaded when first used, so that ``import airpicture`` is quick.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOMES = {
    "AirpictureError": "errors",
    "Cleaned": "smoothing",
    "Config": "config",
    "ConfigError": "errors",
    "Flag": "smoothing",
    "InputError": "errors",
    "Picture": "picture",
    "Plots": "tables",
    "Report": "evaluation",
    "Sensors": "tables",
    "Status": "tables",
    "Tracker": "tracker",
    "Tracks": "tables",
    "Truth": "tables",
    "clean": "smoothing",
    "evaluate": "evaluation",
    "load_sensors": "formats",
    "read": "formats",
    "read_tracks": "formats",
    "read_truth": "formats",
    "simulate": "simulation",
    "smooth": "smoothing",
    "track": "tracker",
}

__all__ = sorted([*_HOMES, "__version__"])

if TYPE_CHECKING:
    from airpicture.config import Config as Config
    from airpicture.errors import AirpictureError as AirpictureError
    from airpicture.errors import ConfigError as ConfigError
    from airpicture.errors import InputError as InputError
    from airpicture.evaluation import Report as Report
    from airpicture.evaluation import evaluate as evaluate
    from airpicture.formats import load_sensors as load_sensors
    from airpicture.formats import read as read
    from airpicture.formats import read_tracks as read_tracks
    from airpicture.formats import read_truth as read_truth
    from airpicture.picture import Picture as Picture
    from airpicture.simulation import simulate as simulate
    from airpicture.smoothing import Cleaned as Cleaned
    from airpicture.smoothing import Flag as Flag
    from airpicture.smoothing import clean as clean
    from airpicture.smoothing import smooth as smooth
    from airpicture.tables import Plots as Plots
    from airpicture.tables import Sensors as Sensors
    from airpicture.tables import Status as Status
    from airpicture.tables import Tracks as Tracks
    from airpicture.tables import Truth as Truth
    from airpicture.tracker import Tracker as Tracker
    from airpicture.tracker import track as track


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        value = getattr(import_module(f"airpicture.{_HOMES[name]}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'airpicture' has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*__all__]
