/**
 * Chance from a seed, so that every history can be replayed. Must not know what it is used for.
 */

/** Marsaglia's xorshift128, seeded through splitmix32. */
export class Random {
  /** @param {number} seed any integer below 2^53 */
  constructor (seed) {
    let s = (seed ^ Math.floor(seed / 2 ** 32)) >>> 0
    const next = () => {
      s = (s + 0x9e3779b9) >>> 0
      let z = s
      z = Math.imul(z ^ (z >>> 16), 0x85ebca6b)
      z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35)
      return (z ^ (z >>> 16)) >>> 0
    }
    this.s = [next(), next(), next(), next() | 1]
  }

  /** 32 random bits. */
  bits () {
    const s = this.s
    let t = s[3]
    t ^= t << 11
    t ^= t >>> 8
    s[3] = s[2]
    s[2] = s[1]
    s[1] = s[0]
    t ^= s[0]
    t ^= s[0] >>> 19
    s[0] = t
    return t >>> 0
  }

  /** An integer in `from..=to`. */
  int (from, to) {
    return from + Math.floor((this.bits() / 2 ** 32) * (to - from + 1))
  }

  /** True once in `n`. */
  oneIn (n) {
    return this.int(1, n) === 1
  }

  /** @template T @param {readonly T[]} list @returns {T} */
  pick (list) {
    return list[this.int(0, list.length - 1)]
  }

  /** An id below 2^53 that needs more than 32 bits, as Yjs 14 and yrs draw them. */
  wideId () {
    return this.int(1, 2 ** 21 - 1) * 2 ** 32 + this.bits()
  }
}
