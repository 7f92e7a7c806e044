import { type Comparison, compareSchemas, type Direction, type Schema, type Schemas } from './schemas.ts'

interface Referable {
  readonly $ref?: string
}
interface Parameter extends Referable {
  readonly name: string
  readonly in: string
  readonly required?: boolean
  readonly schema?: Schema
}
interface Content extends Referable {
  readonly required?: boolean
  readonly content?: Readonly<Record<string, { readonly schema?: Schema }>>
  readonly headers?: Readonly<Record<string, unknown>>
}
interface Operation {
  readonly operationId?: string
  readonly parameters?: readonly Parameter[]
  readonly requestBody?: Content
  readonly responses?: Readonly<Record<string, Content>>
  readonly security?: readonly object[]
  readonly 'x-scope'?: string
}
export interface Document {
  readonly paths?: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components?: Readonly<Record<string, Readonly<Record<string, unknown>>>>
}

/** Every change of the contract that can break a client which keeps to the document before. One line each. */
export function breakingChanges(before: Document, after: Document): readonly string[] {
  const changes: string[] = []
  const report = (change: string): void => void changes.push(change)
  const compare = (direction: Direction): Comparison => ({
    before: schemasOf(before),
    after: schemasOf(after),
    direction,
    report,
    seen: new Set(),
  })
  const pair = { before, after, requests: compare('request'), responses: compare('response'), report }
  for (const [path, item] of Object.entries(before.paths ?? {}))
    for (const [method, old] of Object.entries(item)) {
      const id = old.operationId ?? `${method.toUpperCase()} ${path}`
      const now = after.paths?.[path]?.[method]
      if (!now) report(`${id} is gone: ${method.toUpperCase()} ${path}`)
      else compareOperations(pair, id, old, now)
    }
  return [...new Set(changes)].sort()
}

interface Pair {
  readonly before: Document
  readonly after: Document
  readonly requests: Comparison
  readonly responses: Comparison
  readonly report: (change: string) => void
}

const schemasOf = (document: Document): Schemas => (document.components?.schemas ?? {}) as Schemas

function compareOperations(pair: Pair, id: string, old: Operation, now: Operation): void {
  const { report } = pair
  if (old.operationId !== now.operationId) report(`${id} has another name: ${now.operationId ?? 'none'}`)
  if (old.security?.length === 0 && now.security?.length !== 0) report(`${id} needs a credential`)
  if (now['x-scope'] !== undefined && old['x-scope'] !== now['x-scope'])
    report(`${id} needs another scope: ${now['x-scope']}`)
  compareParameters(pair, id, old, now)
  compareBodies(pair, id, old.requestBody, now.requestBody)
  compareAnswers(pair, id, old.responses ?? {}, now.responses ?? {})
}

function compareParameters(
  { before, after, requests, report }: Pair,
  id: string,
  old: Operation,
  now: Operation,
): void {
  const key = (parameter: Parameter): string => `${parameter.in} ${parameter.name}`
  const read = (document: Document, operation: Operation) =>
    new Map((operation.parameters ?? []).map((one) => resolve(document, one)).map((one) => [key(one), one]))
  const [had, has] = [read(before, old), read(after, now)]
  for (const [name, parameter] of had) {
    const match = has.get(name)
    // A header that is no longer read is ignored; any other parameter would be refused.
    if (!match && parameter.in !== 'header') report(`${id} no longer takes ${name}`)
    if (match?.required && !parameter.required) report(`${id} requires ${name}`)
    if (match) compareSchemas(requests, parameter.schema ?? {}, match.schema ?? {}, `${id} ${name}`)
  }
  for (const [name, parameter] of has) if (parameter.required && !had.has(name)) report(`${id} requires ${name}`)
}

function compareBodies({ before, after, requests, report }: Pair, id: string, old?: Content, now?: Content): void {
  const [had, has] = [old && resolve(before, old), now && resolve(after, now)]
  if (had && !has) report(`${id} no longer takes a body`)
  if (has?.required && !had?.required) report(`${id} requires a body`)
  for (const [type, { schema }] of Object.entries(had?.content ?? {})) {
    const match = has?.content?.[type]
    if (has && !match) report(`${id} no longer takes ${type}`)
    if (match) compareSchemas(requests, schema ?? {}, match.schema ?? {}, `${id} body`)
  }
}

function compareAnswers(pair: Pair, id: string, old: Record<string, Content>, now: Record<string, Content>): void {
  const { before, after, responses, report } = pair
  for (const [status, content] of Object.entries(old)) {
    const other = now[status]
    // An error that no longer happens breaks nobody.
    if (!other && /^[23]/.test(status)) report(`${id} no longer answers ${status}`)
    if (!other) continue
    const [had, has] = [resolve(before, content), resolve(after, other)]
    for (const name of Object.keys(had.headers ?? {}))
      if (has.headers?.[name] === undefined) report(`${id} ${status} has no header ${name}`)
    for (const [type, { schema }] of Object.entries(had.content ?? {})) {
      const match = has.content?.[type]
      if (match) compareSchemas(responses, schema ?? {}, match.schema ?? {}, `${id} ${status}`)
      else report(`${id} ${status} is no longer ${type}`)
    }
  }
  const successes = (answers: Record<string, Content>) =>
    Object.keys(answers).filter((status) => status.startsWith('2'))
  for (const status of successes(now)) if (!old[status]) report(`${id} may answer ${status}`)
}

function resolve<T extends Referable>(document: Document, thing: T): T {
  const [section = '', name = ''] = thing.$ref?.split('/').slice(-2) ?? []
  if (thing.$ref === undefined) return thing
  const found = document.components?.[section]?.[name]
  if (found === undefined) throw new Error(`${thing.$ref} is not in the document`)
  return resolve(document, found as T)
}
