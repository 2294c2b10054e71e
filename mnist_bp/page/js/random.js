/* Random numbers that a seed repeats: the generator mulberry32 (Ettinger 2017). */

export class Random {
  constructor(seed) {
    this.state = seed >>> 0;
  }

  /* From the uniform distribution, 0 to below 1. */
  uniform() {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let t = this.state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }

  /* From N(0, 1), by the method of Box and Muller (1958). */
  normal() {
    return Math.sqrt(-2 * Math.log(1 - this.uniform())) * Math.cos(2 * Math.PI * this.uniform());
  }

  /* The numbers 0 to n − 1 in random order, by the shuffle of Fisher and Yates (1938). */
  permutation(n) {
    const order = Array.from({ length: n }, (_, i) => i);
    for (let i = n - 1; i > 0; i--) {
      const other = Math.floor(this.uniform() * (i + 1));
      [order[i], order[other]] = [order[other], order[i]];
    }
    return order;
  }
}
