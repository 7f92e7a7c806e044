/** The middle value; of an even number of them the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const half = sorted.length / 2
  const [below = Number.NaN, above = Number.NaN] = [sorted[Math.ceil(half) - 1], sorted[Math.floor(half)]]
  return (below + above) / 2
}

/** The median of each number of several results of the same kind. */
export function medianOf<T extends object>(results: readonly T[]): T {
  const [first] = results
  if (first === undefined) throw new Error('no results')
  const keys = Object.keys(first) as (keyof T)[]
  return Object.fromEntries(keys.map((key) => [key, median(results.map((result) => Number(result[key])))])) as T
}

/** The value below which this share of them lies, by nearest rank; 0 when there are none. */
export const quantile = (sorted: ArrayLike<number>, share: number): number =>
  sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0
