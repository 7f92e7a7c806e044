export interface Schema {
  readonly $ref?: string
  readonly type?: string | readonly string[]
  readonly enum?: readonly unknown[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly dependentRequired?: Readonly<Record<string, readonly string[]>>
  readonly additionalProperties?: boolean | Schema
  readonly propertyNames?: Schema
  readonly items?: Schema
  readonly anyOf?: readonly Schema[]
  readonly [keyword: string]: unknown
}

export type Schemas = Readonly<Record<string, Schema>>

/** What clients send must stay accepted; what they receive must stay what they know. */
export type Direction = 'request' | 'response'

export interface Comparison {
  readonly before: Schemas
  readonly after: Schemas
  readonly direction: Direction
  readonly report: (change: string) => void
  /** Pairs of named schemas that have been compared: each is reported once, under its own name. */
  readonly seen: Set<string>
}

const upperLimits = ['maxLength', 'maximum', 'exclusiveMaximum', 'maxItems', 'maxProperties'] as const
const lowerLimits = ['minLength', 'minimum', 'exclusiveMinimum', 'minItems', 'minProperties'] as const
const shapes = ['pattern', 'format', 'const', 'multipleOf'] as const

/** Reports where `after` refuses what `before` let in (request), or holds what `before` did not announce (response). */
export function compareSchemas(comparison: Comparison, before: Schema, after: Schema, at: string): void {
  const { direction, seen } = comparison
  const name = nameOf(before.$ref)
  if (name !== undefined) {
    const pair = `${direction} ${name} ${after.$ref ?? at}`
    if (seen.has(pair)) return
    seen.add(pair)
  }
  const [old, now] = [resolve(comparison.before, before), resolve(comparison.after, after)]
  const place = name === undefined ? at : `${name} (${direction})`
  compareTypes(comparison, old, now, place)
  if (direction === 'request') compareLimits(comparison, old, now, place)
  compareMembers(comparison, old, now, place)
  if (old.items && now.items) compareSchemas(comparison, old.items, now.items, `${place}/items`)
  old.anyOf?.forEach((branch, index) => {
    const match = now.anyOf?.find((other) => isSameBranch(branch, other)) ?? now.anyOf?.[index]
    if (match) compareSchemas(comparison, branch, match, `${place}/anyOf/${index}`)
  })
}

const isSameBranch = (a: Schema, b: Schema): boolean => a.$ref === b.$ref && String(a.type) === String(b.type)

const nameOf = (ref: string | undefined): string | undefined => ref?.split('/').at(-1)

function resolve(schemas: Schemas, schema: Schema): Schema {
  const name = nameOf(schema.$ref)
  if (name === undefined) return schema
  const found = schemas[name]
  if (found === undefined) throw new Error(`${schema.$ref} is not in the document`)
  return resolve(schemas, found)
}

function compareTypes({ before, after, direction, report }: Comparison, old: Schema, now: Schema, at: string): void {
  const [had, has] = [typesOf(before, old), typesOf(after, now)]
  const [from, to] = direction === 'request' ? [had, has] : [has, had]
  const verb = direction === 'request' ? 'no longer takes' : 'may now be'
  // An integer is a number: taking numbers is wider, answering integers narrower.
  for (const type of from)
    if (!to.includes(type) && !(type === 'integer' && to.includes('number'))) report(`${at} ${verb} ${type}`)
  if (direction === 'request' && now.enum)
    for (const value of old.enum ?? ['any text'])
      if (!now.enum.includes(value)) report(`${at} no longer takes ${String(value)}`)
  if (direction === 'response' && old.enum && !now.enum) report(`${at} may now be any text`)
  if (direction === 'response' && old.format !== now.format)
    report(`${at} has another format: ${String(now.format ?? 'none')}`)
}

function typesOf(schemas: Schemas, schema: Schema): readonly string[] {
  if (schema.anyOf) return schema.anyOf.flatMap((branch) => typesOf(schemas, resolve(schemas, branch)))
  return [schema.type ?? []].flat()
}

function compareLimits({ report }: Comparison, old: Schema, now: Schema, at: string): void {
  for (const keyword of upperLimits)
    if (now[keyword] !== undefined && Number(now[keyword]) < Number(old[keyword] ?? Number.POSITIVE_INFINITY))
      report(`${at} has a lower ${keyword}: ${String(now[keyword])}`)
  for (const keyword of lowerLimits)
    if (
      now[keyword] !== undefined &&
      Number(now[keyword]) > Number(old[keyword] ?? Number.NEGATIVE_INFINITY) &&
      !isZeroLength(keyword, now)
    )
      report(`${at} has a higher ${keyword}: ${String(now[keyword])}`)
  for (const keyword of shapes)
    if (now[keyword] !== undefined && now[keyword] !== old[keyword])
      report(`${at} has another ${keyword}: ${String(now[keyword])}`)
  if (now.uniqueItems === true && old.uniqueItems !== true) report(`${at} no longer takes an item twice`)
}

/** A lower limit of nothing at all says nothing. */
const isZeroLength = (keyword: string, now: Schema): boolean =>
  /Length|Items|Properties/.test(keyword) && now[keyword] === 0

function compareMembers(comparison: Comparison, old: Schema, now: Schema, at: string): void {
  const { direction, report } = comparison
  for (const [key, member] of Object.entries(old.properties ?? {})) {
    const match = now.properties?.[key]
    if (match) compareSchemas(comparison, member, match, `${at}/${key}`)
    else if (direction === 'response' || now.additionalProperties === false) report(`${at}/${key} is gone`)
  }
  const [had, has] = [new Set(old.required), new Set(now.required)]
  if (direction === 'response')
    for (const key of had) if (!has.has(key) && now.properties?.[key]) report(`${at}/${key} may be missing`)
  if (direction === 'request') {
    for (const key of has) if (!had.has(key)) report(`${at}/${key} is required`)
    for (const [key, needed] of Object.entries(now.dependentRequired ?? {}))
      for (const other of needed)
        if (!old.dependentRequired?.[key]?.includes(other)) report(`${at}/${other} is required beside ${key}`)
  }
  compareFreeMembers(comparison, old, now, at)
}

function compareFreeMembers(comparison: Comparison, old: Schema, now: Schema, at: string): void {
  const [before, after] = [old.additionalProperties, now.additionalProperties]
  const { direction, report } = comparison
  if (typeof before === 'object' && typeof after === 'object') compareSchemas(comparison, before, after, `${at}/*`)
  else if (direction === 'request' && after === false && before !== false && old.type === 'object')
    report(`${at} takes no other keys`)
  else if (direction === 'response' && before === false && after !== false) report(`${at} may have other keys`)
  if (direction === 'request' && now.propertyNames)
    compareSchemas(comparison, old.propertyNames ?? {}, now.propertyNames, `${at}/(names)`)
}
