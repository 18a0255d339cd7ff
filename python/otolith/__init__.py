"""Otolith: an embedded, time-first database whose every change is one commit in one history.

>>> import otolith as oto
>>> oto.__version__
'0.1.0'
"""

from otolith._core import __version__

__all__ = ["__version__"]
