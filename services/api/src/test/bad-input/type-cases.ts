import { type JsonSchema, typesOf } from '../operations.ts'
import { type BadCase, invalid, preview } from './cases.ts'
import { escapePointer, type Place, withValue } from './pointers.ts'

const wrongValues: readonly (readonly [type: string, value: unknown])[] = [
  ['null', null],
  ['boolean', true],
  ['boolean', false],
  ['integer', 7],
  ['number', 1.5],
  ['string', 'text'],
  ['string', '7'],
  ['string', ''],
  ['array', []],
  ['array', [[]]],
  ['object', {}],
]

/** Every value of every other JSON type, at every field. */
export function typeCases(body: unknown, places: readonly Place[]): readonly BadCase[] {
  return places.flatMap(({ pointer, declared }) => {
    const allowed = typesOf(declared)
    return wrongValues
      .filter(([type]) => !allowed.includes(type))
      .map(([, value]) => invalid('types', `is ${preview(value)}`, pointer, withValue(body, pointer, value)))
  })
}

/** Each required member away, and each one that another depends on. */
export function requiredCases(body: unknown, places: readonly Place[]): readonly BadCase[] {
  const missing = places
    .filter(({ isRequired, pointer }) => isRequired && pointer !== '' && !/\/\d+$/.test(pointer))
    .map(({ pointer }) => invalid('required', 'is missing', pointer, withValue(body, pointer, undefined)))
  const dependent = places.flatMap(({ pointer, schema }) =>
    Object.values(schema.dependentRequired ?? {})
      .flat()
      .map((key) =>
        invalid('required', 'is missing', `${pointer}/${key}`, withValue(body, `${pointer}/${key}`, undefined)),
      ),
  )
  const empty = places
    .filter(({ schema }) => (schema.required?.length ?? 0) > 0 || (schema.minProperties ?? 0) > 0)
    .map(({ pointer }) => invalid('required', 'is an empty object', pointer, withValue(body, pointer, {})))
  return [...missing, ...dependent, ...empty]
}

/** What a client may try to set: the service's own fields, and names that mean something to JavaScript. */
const foreignKeys: readonly (readonly [key: string, value: unknown])[] = [
  ['nonsense', 1],
  ['', 'empty'],
  ['id', 'ord_01jd0000000000000000000000'],
  ['organizationId', 'org_01jd0000000000000000000000'],
  ['organization_id', 'org_01jd0000000000000000000000'],
  ['status', 'completed'],
  ['version', 99],
  ['createdAt', '2020-01-01T00:00:00.000Z'],
  ['principalId', 'usr_01jd0000000000000000000000'],
  ['isAdmin', true],
  ['constructor', { prototype: { isAdmin: true } }],
  ['prototype', { isAdmin: true }],
  ['toString', 'text'],
  ['hasOwnProperty', null],
  ['$ref', '#/components/schemas/Order'],
  ['a/b~c', 1],
]

/** Unknown keys and mass assignment, at every object that is closed. */
export function unknownKeyCases(body: unknown, places: readonly Place[]): readonly BadCase[] {
  return places.filter(isClosed).flatMap(({ pointer, schema, value }) => {
    const known = Object.keys(schema.properties ?? {})
    const misspelt = known[0] === undefined ? [] : [[`${known[0]}s`, 1] as const, [known[0].toUpperCase(), 1] as const]
    const cases = [...foreignKeys, ...misspelt].filter(([key]) => !known.includes(key))
    return cases.map(([key, member]) =>
      invalid(
        'unknown',
        `has ${preview(key)}`,
        `${pointer}/${escapePointer(key)}`,
        withValue(body, pointer, { ...(value as object), [key]: member }),
      ),
    )
  })
}

export const isClosed = ({ schema }: { readonly schema: JsonSchema }): boolean => schema.additionalProperties === false
