import openapiTS, { astToString } from 'openapi-typescript'
import type { Schema } from './document.ts'

const banned = ['paths', 'webhooks', 'operations', '$defs']

/** The wire shapes as TypeScript: one exported type per named schema, and nothing about paths, which are methods here. */
export async function renderTypes(schemas: Readonly<Record<string, Schema>>): Promise<string> {
  const invalid = Object.keys(schemas).filter((name) => !/^[A-Z]\w*$/.test(name))
  if (invalid.length > 0) throw new Error(`schema names must be PascalCase identifiers: ${invalid.join(', ')}`)
  const document = { openapi: '3.1.0', info: { title: 'Purser', version: '1' }, paths: {}, components: { schemas } }
  const nodes = await openapiTS(document as unknown as Parameters<typeof openapiTS>[0], {
    rootTypes: true,
    rootTypesNoSchemaPrefix: true,
    rootTypesKeepCasing: true,
    // A default makes a property optional to send; `required` alone says what is always there.
    defaultNonNullable: false,
    silent: true,
  })
  const kept = nodes.filter(
    (node) => !banned.includes((node as unknown as { name?: { text?: string } }).name?.text ?? ''),
  )
  return astToString(kept)
}
