"""The live picture: sockets in, picture out, for months on end.

Beside `commands` and `bench` the only room that waits, reads a clock, starts threads or logs. What it does with
plots is `Tracker.step`; what it sends is made by ``formats``; so a recording of what came in, replayed, gives the same
picture.
"""
