import type { Transaction } from '../database.ts'
import { type LedgerRow, readWithoutEvent, type VersionOf } from './rows.ts'

/**
 * Puts the versions of every resource in order. Transactions are read in the order in which they began, and one that
 * began first may have changed a resource last: then the version before is fetched, wherever it lies, and numbered now.
 */
export async function orderVersions(db: Transaction, rows: readonly LedgerRow[], reach: Reach) {
  const near = reach === 'all' ? '' : rows.reduce((lowest, { id }) => (id < lowest ? id : lowest), rows[0]?.id ?? '')
  let complete = rows
  for (let found = rows; found.length > 0; complete = [...found, ...complete])
    found = await readWithoutEvent(db, versionsBefore(complete), near)
  return sortVersions(complete)
}

/** How far back in time two changes of a resource can lie and still have been under way together. */
export type Reach = 'hour' | 'all'

/** The version before each one that is here, where that is not here as well. */
export function versionsBefore(rows: readonly LedgerRow[]): readonly VersionOf[] {
  const here = new Set(rows.map((row) => versionOf(row, row.resource_version)))
  const missing = new Map<string, VersionOf>()
  for (const row of rows) {
    const { organization_id: organizationId, resource_type: type, resource_id: id } = row
    const version = row.resource_version - 1
    const key = versionOf(row, version)
    if (version > 0 && !here.has(key)) missing.set(key, { organizationId, type, id, version })
  }
  return [...missing.values()]
}

/** The rows of a resource share out their places among them by version; nothing else moves. */
export function sortVersions(rows: readonly LedgerRow[]): readonly LedgerRow[] {
  const places = new Map<string, number[]>()
  rows.forEach((row, place) => {
    const taken = places.get(resourceOf(row))
    if (taken === undefined) places.set(resourceOf(row), [place])
    else taken.push(place)
  })
  const sorted = [...rows]
  for (const taken of places.values()) {
    if (taken.length === 1) continue
    const own = taken.map((place) => rows[place] as LedgerRow)
    own.sort((a, b) => a.resource_version - b.resource_version)
    taken.forEach((place, index) => {
      sorted[place] = own[index] as LedgerRow
    })
  }
  return sorted
}

const resourceOf = (row: LedgerRow): string => `${row.organization_id} ${row.resource_type} ${row.resource_id}`
const versionOf = (row: LedgerRow, version: number): string => `${resourceOf(row)} ${version}`
