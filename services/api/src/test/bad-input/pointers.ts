import { type JsonSchema, resolve } from '../operations.ts'

/** One place in a body: its pointer, the schema that rules it and the valid value it has. */
export interface Place {
  readonly pointer: string
  readonly schema: JsonSchema
  /** As written in the document, before references are followed. */
  readonly declared: JsonSchema
  readonly value: unknown
  readonly isRequired: boolean
}

/** Every place of a body, the root included, in document order. */
export function placesOf(declared: JsonSchema, value: unknown, pointer = '', isRequired = true): readonly Place[] {
  const schema = resolve(declared)
  const here = { pointer, schema, declared, value, isRequired }
  if (Array.isArray(value) && schema.items) return [here, ...placesOf(schema.items, value[0], `${pointer}/0`)]
  if (typeof value !== 'object' || value === null) return [here]
  const members = Object.entries(value).flatMap(([key, member]) => {
    const known = schema.properties?.[key]
    const free = typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined
    const child = known ?? free
    const at = `${pointer}/${escapePointer(key)}`
    return child ? placesOf(child, member, at, schema.required?.includes(key) ?? false) : []
  })
  return [here, ...members]
}

export const escapePointer = (key: string): string => key.replaceAll('~', '~0').replaceAll('/', '~1')

/** A copy of `body` with another value at `pointer`; `undefined` takes the member away. */
export function withValue(body: unknown, pointer: string, value: unknown): unknown {
  if (pointer === '') return value
  const copy = structuredClone(body)
  const keys = pointer.slice(1).split('/')
  const last = keys.pop() ?? ''
  const parent = keys.reduce((node, key) => (node as Record<string, unknown>)[key], copy) as Record<string, unknown>
  if (value === undefined) delete parent[last]
  else parent[last] = value
  return copy
}

const mark = '@@here@@'

/** The body as text with `token`, written as it is, in place of the value at `pointer`. */
export const withToken = (body: unknown, pointer: string, token: string): string =>
  JSON.stringify(withValue(body, pointer, mark)).replace(`"${mark}"`, () => token)

/** The body as bytes with `bytes` inside the string at `pointer`. */
export function withBytes(body: unknown, pointer: string, bytes: readonly number[]): Buffer {
  const [before = '', after = ''] = JSON.stringify(withValue(body, pointer, mark)).split(mark)
  return Buffer.concat([Buffer.from(before), Buffer.from(bytes), Buffer.from(after)])
}
