// How long to wait before the next try: twice as long each time up to a limit,
// and a random part less, so that many pages do not come back at one moment.

export class Backoff {
  #tries = 0;
  #first;
  #longest;
  #random;

  // first and longest are milliseconds.
  constructor(first, longest, random = Math.random) {
    this.#first = first;
    this.#longest = longest;
    this.#random = random;
  }

  // next is the wait before the next try, at least `least` ms.
  next(least = 0) {
    const whole = Math.min(this.#longest, this.#first * 2 ** this.#tries);
    this.#tries = Math.min(this.#tries + 1, 20);
    return Math.max(least, whole * (0.5 + this.#random() / 2));
  }

  reset() {
    this.#tries = 0;
  }
}
