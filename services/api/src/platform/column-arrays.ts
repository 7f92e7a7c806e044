/** Never part of JSON text, where control characters are escaped, nor of a token. */
const separator = '\u001f'

/**
 * The SQL type of a column, or how its text travels: `token` is text of our own making, never empty and without control
 * characters, as ids and states are; `jsonb` takes any value and `json text` a string that holds JSON already; the words
 * of `words` hold no comma.
 */
export type ColumnType =
  | 'text'
  | 'token'
  | 'integer'
  | 'smallint'
  | 'bigint'
  | 'boolean'
  | 'timestamptz(3)'
  | 'bytea'
  | 'jsonb'
  | 'json text'
  | 'words'

/** Columns that travel as one text for all rows, which spares either side the quoting. */
const joined: readonly ColumnType[] = ['token', 'jsonb', 'json text', 'words']

/**
 * Rows as one parameter per column, read in SQL with `unnest`: for PostgreSQL several times cheaper than a recordset of
 * JSON. `types` names the columns in the order of the parameters.
 */
export function columnArrays<C extends string>(types: Readonly<Record<C, ColumnType>>) {
  const columns = (Object.keys(types) as C[]).map((name) => ({ name, type: types[name] }))
  const names = columns.map(({ name }) => name).join(', ')
  return {
    /** How many parameters the rows take. */
    width: columns.length,
    /** Names of the columns, as SQL. */
    names,
    /** The rows as a table expression; their parameters begin with `$first`. */
    from(alias: string, first: number): string {
      const arrays = columns.map(({ type }, index) => arrayOf(type, `$${first + index}`))
      const values = columns.map(({ name, type }) => selected(type, name))
      return `(select ${values.join(', ')} from unnest(${arrays.join(', ')}) as given (${names})) as ${alias}`
    },
    parameters: (rows: readonly Readonly<Record<C, unknown>>[]): string[] =>
      columns.map(({ name, type }) => {
        const write = joined.includes(type) ? writeJoined : writeElement
        const values = rows.map((row) => write(row[name], type))
        return joined.includes(type) ? values.join(separator) : `{${values.join()}}`
      }),
  }
}

function arrayOf(type: ColumnType, parameter: string): string {
  return joined.includes(type) ? `string_to_array(${parameter}, e'\\x1f', '')` : `${parameter}::${type}[]`
}

function selected(type: ColumnType, name: string): string {
  if (type === 'jsonb') return `${name}::jsonb as ${name}`
  return type === 'words' ? `string_to_array(coalesce(${name}, ''), ',') as ${name}` : name
}

/** Empty text stands for null. */
function writeJoined(value: unknown, type: ColumnType): string {
  if (value === null) return ''
  if (type === 'jsonb') return JSON.stringify(value)
  return type === 'words' ? (value as readonly string[]).join() : (value as string)
}

const quotable = /["\\]/
const everyQuotable = /["\\]/g

/** An element of an array as PostgreSQL reads it. */
function writeElement(value: unknown): string {
  if (value === null) return 'NULL'
  if (value instanceof Date) return value.toISOString()
  if (typeof value !== 'string') return String(value)
  return `"${quotable.test(value) ? value.replace(everyQuotable, '\\$&') : value}"`
}
