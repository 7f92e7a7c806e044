import type { TSchema } from '@sinclair/typebox'
import fastJson from 'fast-json-stringify'
import { ReadyJson } from '#platform/ready-json.ts'
import { componentSchemas } from '#platform/schema.ts'

export type Serialize = (value: unknown) => string

const compiled = new Map<TSchema, Serialize>()

/** A serializer compiled from the schema: fields it does not name never leave the service. JSON that is ready stays. */
export function serializerOf(schema: TSchema): Serialize {
  const known = compiled.get(schema)
  if (known) return known
  let serialize: Serialize | undefined
  const serializer: Serialize = (value) => {
    if (value instanceof ReadyJson) return value.text
    serialize ??= compile(schema)
    return serialize(value)
  }
  compiled.set(schema, serializer)
  return serializer
}

function compile(schema: TSchema): Serialize {
  const external = Object.fromEntries(componentSchemas().map((component) => [component.$id, component]))
  return fastJson(schema as object, { schema: external, ajv: { strict: false } } as fastJson.Options) as Serialize
}
