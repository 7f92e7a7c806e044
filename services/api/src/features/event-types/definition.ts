import type { Static, TSchema } from '@sinclair/typebox'
import type { EventType } from '#platform/ledger.ts'

/** What one type of event tells, and about which resource. */
export interface EventDefinition {
  readonly description: string
  readonly resourceType: string
  /** The resource, as the API returns it and without personal fields. */
  readonly data: TSchema
  readonly sample: EventSample
}

/** The parts of a sample that differ from type to type. */
export interface EventSample {
  readonly resourceId: string
  readonly version: number
  readonly changed: readonly string[]
  readonly data: unknown
}

/** Definitions of the types that begin with one of these words; each type that the ledger knows has one. */
export type Definitions<R extends string> = Readonly<Record<Extract<EventType, `${R}.${string}`>, EventDefinition>>

/** A definition; what its sample holds must be what its schema says. */
export const define = <S extends TSchema>(
  resourceType: string,
  description: string,
  data: S,
  sample: Omit<EventSample, 'data'> & { readonly data: Static<S> },
): EventDefinition => ({ resourceType, description, data, sample })
