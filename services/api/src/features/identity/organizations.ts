import type { ExpectedVersion } from '#platform/version.ts'
import { checkVersion } from '#platform/version.ts'
import type { Work } from '#platform/work.ts'
import { presentOrganization } from './present.ts'
import { insertOrganization, lockOrganization, updateOrganization } from './repository.ts'
import type { Organization, UpdateOrganization } from './schemas.ts'

/** Founds the organization the work is bound to. */
export async function createOrganization(work: Work, input: { name: string; currency: string }): Promise<Organization> {
  const row = await insertOrganization(work, {
    id: work.actor.organizationId,
    name: input.name,
    currency: input.currency,
    created_at: work.now,
    updated_at: work.now,
  })
  const organization = presentOrganization(row)
  const resource = { type: 'organization', id: organization.id, version: organization.version }
  work.record({ type: 'organization.created', resource, data: organization })
  return organization
}

/** Changes name or metadata; the currency of an organization is for ever. */
export async function changeOrganization(
  work: Work,
  input: UpdateOrganization,
  expected: ExpectedVersion,
): Promise<Organization> {
  const found = await lockOrganization(work)
  checkVersion(expected, found.version)
  const row = await updateOrganization(work, {
    name: input.name ?? found.name,
    metadata: JSON.stringify(input.metadata ?? found.metadata),
    version: found.version + 1,
    updated_at: work.now,
  })
  const organization = presentOrganization(row)
  const resource = { type: 'organization', id: organization.id, version: organization.version }
  work.record({ type: 'organization.updated', resource, changed: Object.keys(input), data: organization })
  return organization
}
