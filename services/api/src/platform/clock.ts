/** Where time comes from; tests hand in one that stands still or jumps. */
export interface Clock {
  now(): Date
}

export const systemClock: Clock = { now: () => new Date() }
