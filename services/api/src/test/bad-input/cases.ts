import type { Change } from '../samples.ts'

/** A request that must be refused, and how. */
export interface BadCase {
  readonly category: Category
  readonly name: string
  readonly change: Change
  /** Statuses that are right; mostly one. */
  readonly statuses: readonly number[]
  readonly code?: string
  /** JSON pointer of the field that is wrong: the answer must have an entry there, or below it. */
  readonly pointer?: string
}

export const categories = [
  'syntax',
  'types',
  'limits',
  'required',
  'unknown',
  'duplicate',
  'unicode',
  'numbers',
  'dates',
  'ids',
  'paths',
  'queries',
  'cursors',
  'headers',
  'media',
] as const
export type Category = (typeof categories)[number]

/** Readable, and refused as such: 422 with an entry for the field. */
export const invalid = (category: Category, name: string, pointer: string, body: unknown): BadCase => ({
  category,
  name: `${pointer || '/'} ${name}`,
  change: { body },
  statuses: [422],
  code: 'VALIDATION_FAILED',
  pointer,
})

/** Not readable as JSON at all: 400. */
export const unreadable = (category: Category, name: string, payload: string | Buffer): BadCase => ({
  category,
  name,
  change: { payload },
  statuses: [400],
  code: 'MALFORMED_REQUEST',
})

export const preview = (value: unknown): string => {
  const text = JSON.stringify(value) ?? 'nothing'
  return text.length <= 40 ? text : `${text.slice(0, 40)}… (${text.length})`
}
