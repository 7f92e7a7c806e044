import { randomFillSync } from 'node:crypto'

/** Drawn for hundreds of ids at once: an order takes two dozen, and each draw on its own is a system call. */
const pool = Buffer.allocUnsafeSlow(8_192)
let used = pool.length

/** Cryptographically random bytes, at most 1 kB; to be read at once, since later draws overwrite them. */
export function drawRandom(length: number): Buffer {
  if (used + length > pool.length) {
    randomFillSync(pool)
    used = 0
  }
  used += length
  return pool.subarray(used - length, used)
}
