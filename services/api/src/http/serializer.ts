import type { TSchema } from '@sinclair/typebox'
import fastJson from 'fast-json-stringify'
import { componentSchemas } from '#platform/schema.ts'

export type Serialize = (value: unknown) => string

const compiled = new Map<TSchema, Serialize>()

/** A serializer compiled from the schema: fields it does not name never leave the service. */
export function serializerOf(schema: TSchema): Serialize {
  const known = compiled.get(schema)
  if (known) return known
  const external = Object.fromEntries(componentSchemas().map((component) => [component.$id, component]))
  const serialize = fastJson(
    schema as object,
    { schema: external, ajv: { strict: false } } as fastJson.Options,
  ) as Serialize
  compiled.set(schema, serialize)
  return serialize
}
