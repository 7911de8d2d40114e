// Work in pieces: what takes long is a generator that stops every little while, and it's carried on in turns short enough that
// the page answers and paints between them. What takes short is done at once.

const TURN_MS = 8; // half a frame at sixty a second

export class Work {
  constructor(turn = TURN_MS) {
    this.turn = turn;
    this.waiting = []; // generators, the first one begun
    this.spent = this.longest = 0; // ms, ever and in one turn
    this.channel = new MessageChannel(); // comes back sooner than a timer, in hidden tabs too
    this.channel.port1.onmessage = () => this.go();
    this.posted = false;
  }

  get length() { return this.waiting.length; }

  add(generator) {
    this.waiting.push(generator);
    if (!this.posted) this.go();
  }

  clear() { this.waiting.length = 0; }

  go() {
    const began = performance.now();
    this.posted = false;
    try {
      while (this.waiting.length && performance.now() < began + this.turn) {
        const work = this.waiting[0];
        let over = true;
        try { over = work.next().done; } finally { if (over && this.waiting[0] === work) this.waiting.shift(); } // one that fails is over
      }
    } finally {
      const took = performance.now() - began;
      this.spent += took;
      this.longest = Math.max(this.longest, took);
      if (this.waiting.length && !this.posted) { this.posted = true; this.channel.port2.postMessage(0); }
    }
  }
}
