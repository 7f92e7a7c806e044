/** At most so many of them, at equal distances, the first among them. */
export const spread = <T>(values: readonly T[], most: number): readonly T[] =>
  values.length <= most
    ? values
    : Array.from({ length: most }, (_, index) => values[Math.floor((index * values.length) / most)] as T)
