import { type Static, type TSchema, Type } from '@sinclair/typebox'
import type { Options, ValidateFunction } from 'ajv'
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'

const components = new Map<string, TSchema>()

/**
 * Registers a wire schema under its name and returns a reference to it, so that the published document shows
 * `$ref: '#/components/schemas/Name'`. Derive Partial or Omit from the plain object before it is wrapped.
 */
export function component<S extends TSchema>(name: string, schema: S) {
  if (components.has(name)) throw new Error(`component ${name} is declared twice`)
  components.set(name, schema)
  return Type.Unsafe<Static<S>>(Type.Ref(name))
}

/** All registered wire schemas, each with its name as `$id`. */
export const componentSchemas = (): readonly TSchema[] =>
  [...components].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, schema]) => ({ ...schema, $id: name }))

/** A string that is one of `values`: a plain `enum` in the document. */
export const OneOf = <const V extends readonly string[]>(values: V, options: Record<string, unknown> = {}) =>
  Type.Unsafe<V[number]>({ type: 'string', enum: values, ...options })

/** `schema` or null; a type array where the schema has one type, so that the document stays readable. */
export function Nullable<S extends TSchema>(schema: S) {
  const plain = typeof schema.type === 'string' && !('enum' in schema)
  return Type.Unsafe<Static<S> | null>(
    plain ? { ...schema, type: [schema.type, 'null'] } : { anyOf: [schema, { type: 'null' }] },
  )
}

/** An Ajv that knows every component, in the dialect of OpenAPI 3.1; `strict` off only for its annotations. */
export function createValidator(options: Options): Ajv2020 {
  const ajv = new Ajv2020({ allErrors: true, strict: false, ...options })
  addFormats.default(ajv)
  for (const schema of componentSchemas()) ajv.addSchema(schema)
  return ajv
}

/** Compiles what reads alike once, however often it is built anew. */
export function compileOnce(ajv: Ajv2020): (schema: object) => ValidateFunction {
  const compiled = new Map<string, ValidateFunction>()
  return (schema) => {
    const text = JSON.stringify(schema)
    const validate = compiled.get(text) ?? ajv.compile(schema)
    compiled.set(text, validate)
    return validate
  }
}

let standalone: Ajv2020 | undefined

/** Compiles a schema, once per process; no coercion, nothing removed. */
export function compileSchema(schema: TSchema): ValidateFunction {
  standalone ??= createValidator({})
  return standalone.compile(schema)
}
