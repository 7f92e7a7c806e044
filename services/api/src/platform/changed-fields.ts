import { canonicalJson } from './canonical-json.ts'

/** Those of the fields in which two versions of a resource, in their wire form, differ. */
export const changedFields = <F extends string>(
  fields: readonly F[],
  before: Readonly<Record<F, unknown>>,
  after: Readonly<Record<F, unknown>>,
): F[] => fields.filter((name) => canonicalJson(before[name]) !== canonicalJson(after[name]))
