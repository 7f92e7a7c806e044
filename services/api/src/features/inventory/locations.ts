import { newId } from '#platform/id.ts'
import { type Page, type PageRequest, toPage } from '#platform/page.ts'
import type { View, Work } from '#platform/work.ts'
import { presentLocation } from './present.ts'
import { LocationNotFound } from './problems.ts'
import {
  clearDefaultLocation,
  insertLocation,
  type LocationRow,
  selectLocation,
  selectLocations,
} from './repository.ts'
import type { CreateLocation, Location } from './schemas.ts'

/** Creates a location; the first one becomes the default, a later one when it asks to. */
export async function createLocation(work: Work, input: CreateLocation): Promise<Location> {
  const isDefault = input.isDefault === true || (await selectLocation(work, null)) === undefined
  if (isDefault) await replaceDefaultLocation(work)
  const row: LocationRow = {
    id: newId('loc'),
    name: input.name,
    is_default: isDefault,
    metadata: input.metadata ?? {},
    version: 1,
    created_at: work.now,
    updated_at: work.now,
  }
  await insertLocation(work, row)
  const location = presentLocation(row)
  work.record({ type: 'location.created', resource: { type: 'location', id: location.id, version: 1 }, data: location })
  return location
}

async function replaceDefaultLocation(work: Work): Promise<void> {
  const row = await clearDefaultLocation(work)
  if (!row) return
  const location = presentLocation(row)
  const resource = { type: 'location', id: location.id, version: location.version }
  work.record({ type: 'location.updated', resource, changed: ['isDefault'], data: location })
}

export async function getLocation(view: View, locationId: string): Promise<Location> {
  const row = await selectLocation(view, locationId)
  if (!row) throw new LocationNotFound()
  return presentLocation(row)
}

export async function listLocations(view: View, page: PageRequest): Promise<Page<Location>> {
  return toPage(await selectLocations(view, page), page, ({ id }) => [id], presentLocation)
}
