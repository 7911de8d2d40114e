// Whose time it is: the data's, carried on by this page's own clock between frames, and whether frames still come.

const FROZEN_MS = 6000; // without a frame

export class Clock {
  constructor() {
    this.at = NaN; // data time of the last frame, ms UTC
    this.speed = 1;
    this.received = -Infinity; // by performance.now()
    this.connected = false;
    this.frame = null;
    this.lag = NaN; // ms between the making of a frame and its arrival
    this.least = Infinity;
  }

  take(frame) {
    const here = performance.now();
    this.at = frame.now;
    this.speed = frame.speed;
    this.received = here;
    this.frame = frame;
    // Clocks of two machines differ by an unknown constant: beyond a second, the least difference seen is taken for it.
    const difference = performance.timeOrigin + here - frame.made;
    this.least = Math.min(this.least, difference);
    this.lag = difference - (this.least >= 0 && this.least < 1000 ? 0 : this.least);
  }

  // Data time now [ms UTC]. It stands when frames have stopped: a picture that nobody feeds mustn't move.
  now() {
    if (!this.frame) return 0;
    const since = Math.min(performance.now() - this.received, FROZEN_MS);
    return this.at + since * this.speed;
  }

  silence() { return performance.now() - this.received; } // ms without a frame
  frozen() { return this.frame === null ? false : !this.connected || this.silence() > FROZEN_MS; }
}
