import { Type } from '@sinclair/typebox'
import { type IdPrefix, idPattern } from './id.ts'
import { component } from './schema.ts'

/** Objects on the wire are closed: an unknown key is refused on the way in and cannot slip out. */
export const closed = { additionalProperties: false } as const

export const Id = (prefix: IdPrefix, description?: string) =>
  Type.String({ pattern: idPattern(prefix), maxLength: 30, ...(description === undefined ? {} : { description }) })

/** The pattern leaves out what `date-time` alone would let in: other zones, leap seconds, fractions beyond ours. */
export const Timestamp = Type.String({
  format: 'date-time',
  pattern: '^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:[0-5]\\d(\\.\\d{1,3})?Z$',
  maxLength: 24,
  description: 'RFC 3339, UTC, milliseconds',
})

/** Counts the changes of a resource. */
export const Version = Type.Integer({ minimum: 1, maximum: 2_147_483_647 })

export const RequestId = Type.String({ pattern: '^[A-Za-z0-9_-]{1,128}$', maxLength: 128 })

/** Largest amount of one price, discount or tax: leaves room for sums of 1,000 lines below 2^53. */
export const maxAmount = 1_000_000_000_000

export const Amount = Type.Integer({ minimum: 0, maximum: maxAmount, description: 'Integer minor units' })
export const Currency = Type.String({ pattern: '^[A-Z]{3}$', maxLength: 3, description: 'ISO 4217' })

/** Sums and differences of amounts: what JSON carries exactly. */
export const Sum = Type.Integer({
  minimum: Number.MIN_SAFE_INTEGER,
  maximum: Number.MAX_SAFE_INTEGER,
  description: 'Integer minor units',
})

export const Money = component(
  'Money',
  Type.Object({ amount: Sum, currency: Currency }, { ...closed, examples: [{ amount: 1999, currency: 'EUR' }] }),
)

export const Price = component('Price', Type.Object({ amount: Amount, currency: Currency }, closed))

export const Sku = Type.String({
  minLength: 1,
  maxLength: 64,
  pattern: '^[^\\u0000-\\u001f\\u007f]+$',
  description: 'Case-sensitive',
})

export const Source = Type.String({
  pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$',
  maxLength: 64,
  description: 'The channel the order came from',
})

/** Free data of the integrator. */
export const Metadata = Type.Unsafe<Record<string, string>>({
  type: 'object',
  additionalProperties: { type: 'string', maxLength: 1_000 },
  propertyNames: { minLength: 1, maxLength: 64 },
  maxProperties: 50,
  description: 'At most 50 string keys of your own',
})

/** A text of 1 to `maxLength` characters. */
export const Text = (maxLength: number, options: Record<string, unknown> = {}) =>
  Type.String({ minLength: 1, maxLength, ...options })

/** Who did something: a credential's principal, or the service itself. */
export const ActorName = Type.Object({ type: Text(64), id: Text(64) }, closed)

/** Wire form of a time. */
export const timestamp = (time: Date): string => time.toISOString()
export const timestampOrNull = (time: Date | null): string | null => (time === null ? null : time.toISOString())
