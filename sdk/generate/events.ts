import { type Document, type Schema, sorted } from './document.ts'

/** Every type of event with the shape of its events: the members of the document's `Event` union. */
export function renderEvents(document: Document): string {
  const { discriminator } = (document.components?.schemas?.Event ?? {}) as Schema & {
    readonly discriminator?: { readonly mapping: Readonly<Record<string, string>> }
  }
  const mapping = discriminator?.mapping ?? {}
  const names = sorted(Object.keys(mapping))
  const shapeOf = (name: string): string => (mapping[name] ?? '').replace('#/components/schemas/', '')
  const shapes = sorted(new Set(names.map(shapeOf)))
  const imports =
    shapes.length === 0 ? '' : `import type {\n${shapes.map((name) => `  ${name},\n`).join('')}} from './types.ts'\n\n`
  return `${imports}/** The events by their type, as far as this version knows them. */
export interface EventsByType {
${names.map((name) => `  '${name}': ${shapeOf(name)}\n`).join('')}}

export type EventType = keyof EventsByType

/** The event of a type: \`EventOf<'order.placed'>\`. */
export type EventOf<T extends EventType> = EventsByType[T]
`
}
