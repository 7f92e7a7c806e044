import { type JsonSchema, resolve } from '../operations.ts'
import { type BadCase, invalid, preview } from './cases.ts'
import { type Place, withValue } from './pointers.ts'

/** One step beyond every limit a schema names. */
export function limitCases(body: unknown, places: readonly Place[]): readonly BadCase[] {
  return places.flatMap(({ pointer, schema, value }) =>
    [...textsBeyond(schema), ...numbersBeyond(schema), ...sizesBeyond(schema, value)].map((wrong) =>
      invalid('limits', `is ${preview(wrong)}`, pointer, withValue(body, pointer, wrong)),
    ),
  )
}

export function textsBeyond(schema: JsonSchema): readonly unknown[] {
  const { enum: allowed, minLength, maxLength, pattern, format } = schema
  if (allowed) return beyondEnum(allowed)
  const wrong: unknown[] = []
  if ((minLength ?? 0) > 0) wrong.push('')
  if (maxLength !== undefined)
    wrong.push('x'.repeat(maxLength + 1), '𝄞'.repeat(maxLength + 1), 'x'.repeat(maxLength * 4))
  if (format === 'email')
    wrong.push('nobody', '@example.com', 'a@', 'a b@example.com', 'a@b@c.example', 'a@example..com')
  if (pattern !== undefined) wrong.push(...candidates.filter((text) => !new RegExp(pattern, 'u').test(text)))
  return wrong
}

const beyondEnum = (allowed: readonly unknown[]): readonly unknown[] => [
  'nonsense',
  '',
  ...allowed
    .filter((value) => typeof value === 'string')
    .flatMap((value) => [value.toUpperCase(), ` ${value}`, `${value}\n`])
    .filter((value) => !allowed.includes(value)),
]

/** Texts of many shapes; those that a pattern lets in are left out. */
const candidates = [
  '',
  ' ',
  'a b',
  'é',
  '💥',
  '-',
  '.',
  '_',
  'gbp',
  'EURO',
  'E1',
  'G',
  'a\tb',
  'a\nb',
  '\u007f',
  '../x',
  'x\u2028y\u0001',
]

function numbersBeyond({ minimum, maximum }: JsonSchema): readonly unknown[] {
  const wrong: number[] = []
  if (minimum !== undefined) wrong.push(minimum - 1, minimum - 1_000, -Number.MAX_SAFE_INTEGER)
  if (maximum !== undefined) wrong.push(maximum + 1, maximum * 10, Number.MAX_SAFE_INTEGER)
  return wrong.filter(Number.isSafeInteger)
}

function sizesBeyond(schema: JsonSchema, value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return arraysBeyond(schema, value)
  if (typeof value !== 'object' || value === null) return []
  const { maxProperties, propertyNames } = schema
  const wrong: unknown[] = []
  const member = Object.values(value)[0]
  if (maxProperties !== undefined)
    wrong.push(Object.fromEntries(Array.from({ length: maxProperties + 1 }, (_, index) => [`k${index}`, member])))
  if (propertyNames?.maxLength !== undefined) wrong.push({ ['k'.repeat(propertyNames.maxLength + 1)]: member })
  if ((propertyNames?.minLength ?? 0) > 0) wrong.push({ '': member })
  return wrong
}

function arraysBeyond(
  { minItems, maxItems, uniqueItems, items }: JsonSchema,
  value: readonly unknown[],
): readonly unknown[] {
  const wrong: unknown[] = []
  if ((minItems ?? 0) > 0) wrong.push([])
  if (maxItems !== undefined) wrong.push(Array.from({ length: maxItems + 1 }, () => value[0]))
  if (uniqueItems) wrong.push([value[0], value[0]])
  if (items && typeof value[0] !== 'object' && resolve(items).enum) wrong.push([value[0], 'nonsense'])
  return wrong
}
