import { ApiKey, Organization } from '#features/identity/index.ts'
import { type Definitions, define } from './definition.ts'

const times = { createdAt: '2026-01-15T09:30:00.000Z', updatedAt: '2026-01-15T09:30:00.000Z' }
const key = {
  id: 'key_01jd0000000000000000000001',
  principalId: 'usr_01jd0000000000000000000001',
  name: 'Web shop',
  mode: 'live',
  hint: 'x7Qp',
  scopes: ['orders:read', 'orders:write'],
  rateLimitPerMinute: null,
  allowedCidrs: [],
  allowedSources: [],
  status: 'active',
  expiresAt: null,
  revokedAt: null,
  lastUsedAt: null,
  metadata: {},
  version: 1,
  ...times,
} satisfies typeof ApiKey.static
const organization = {
  id: 'org_01jd0000000000000000000001',
  name: 'Acme Ltd',
  currency: 'GBP',
  metadata: {},
  version: 1,
  ...times,
}

const ofKey = (version: number, changed: readonly string[], fields: Partial<typeof ApiKey.static>) => ({
  resourceId: key.id,
  version,
  changed,
  data: { ...key, ...fields, version },
})
const ofOrganization = (version: number, changed: readonly string[]) => ({
  resourceId: organization.id,
  version,
  changed,
  data: { ...organization, version },
})

export const accountEvents: Definitions<'apiKey' | 'organization'> = {
  'apiKey.created': define('apiKey', 'An API key was created', ApiKey, ofKey(1, [], {})),
  'apiKey.rotated': define(
    'apiKey',
    'An API key was rotated: this one ends, another takes its place',
    ApiKey,
    ofKey(2, ['expiresAt'], { expiresAt: '2026-01-15T10:30:00.000Z' }),
  ),
  'apiKey.revoked': define(
    'apiKey',
    'An API key was revoked',
    ApiKey,
    ofKey(2, ['revokedAt'], { status: 'revoked', revokedAt: '2026-01-15T09:30:00.000Z' }),
  ),
  'organization.created': define('organization', 'The organization was founded', Organization, ofOrganization(1, [])),
  'organization.updated': define(
    'organization',
    'Name or metadata of the organization changed',
    Organization,
    ofOrganization(2, ['name']),
  ),
}
