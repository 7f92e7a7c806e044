/**
 * Rows as one array parameter per column, read in SQL with `unnest`: for PostgreSQL several times cheaper than JSON.
 * `types` names each column with its type, in the order of the parameters.
 */
export function columnArrays<C extends string>(types: Readonly<Record<C, string>>) {
  const names = Object.keys(types) as C[]
  return {
    /** How many parameters the rows take. */
    width: names.length,
    /** The rows as a table expression; their parameters begin with `$first`. */
    from(alias: string, first: number): string {
      const arrays = names.map((name, index) => `$${first + index}::${types[name]}[]`)
      return `unnest(${arrays.join(', ')}) as ${alias} (${names.join(', ')})`
    },
    parameters: (rows: readonly Readonly<Record<C, unknown>>[]): unknown[][] =>
      names.map((name) => rows.map((row) => row[name])),
  }
}
