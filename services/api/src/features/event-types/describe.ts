import type { TSchema } from '@sinclair/typebox'
import { eventTypes } from '#platform/ledger.ts'
import { ReadyJson } from '#platform/ready-json.ts'
import { componentSchemas } from '#platform/schema.ts'
import { definitions, sampleOf, schemaName } from './catalogue.ts'

let described: ReadyJson | undefined

/** Every type with its JSON Schema and a sample; made once. */
export async function describeEventTypes(): Promise<ReadyJson> {
  described ??= new ReadyJson(
    JSON.stringify(
      eventTypes.map((type) => ({
        type,
        description: definitions[type].description,
        schemaVersion: 1,
        resourceType: definitions[type].resourceType,
        schema: standalone(schemaName(type)),
        sample: sampleOf(type),
      })),
    ),
  )
  return described
}

/** The schema of a component with everything it refers to, for a validator that knows nothing else. */
export function standalone(name: string): object {
  const components = new Map(componentSchemas().map(({ $id = '', ...schema }) => [$id, schema]))
  const used = new Set([name])
  for (const next of used) for (const referred of referencesIn(components.get(next))) used.add(referred)
  const of = (component: string): object =>
    JSON.parse(JSON.stringify(components.get(component)), (key, value: unknown) =>
      key === '$ref' ? `#/$defs/${String(value)}` : value,
    ) as object
  const others = [...used].filter((other) => other !== name).sort()
  const $defs = Object.fromEntries(others.map((other) => [other, of(other)]))
  return { $schema: 'https://json-schema.org/draft/2020-12/schema', ...of(name), $defs }
}

function referencesIn(value: TSchema | unknown): string[] {
  if (typeof value !== 'object' || value === null) return []
  const own = '$ref' in value && typeof value.$ref === 'string' ? [value.$ref] : []
  return [...own, ...Object.values(value).flatMap(referencesIn)]
}
