import type { Insertable, Selectable, Updateable } from 'kysely'
import { sql } from 'kysely'
import { type Database, inTransaction, runSql } from '#platform/database.ts'
import { newestFirst, type PageRequest, selectPage } from '#platform/page.ts'
import type { ApiKeys, Organizations } from '#platform/tables.gen.ts'
import type { View, Work } from '#platform/work.ts'

export type ApiKeyRow = Omit<Selectable<ApiKeys>, 'secret_hash' | 'organization_id'>
export type OrganizationRow = Selectable<Organizations>

const keyColumns = [
  'id',
  'principal_id',
  'name',
  'mode',
  'hint',
  'scopes',
  'rate_limit_per_minute',
  'allowed_cidrs',
  'allowed_sources',
  'expires_at',
  'revoked_at',
  'last_used_at',
  'metadata',
  'version',
  'created_at',
  'updated_at',
] as const
const organizationColumns = ['id', 'name', 'currency', 'metadata', 'version', 'created_at', 'updated_at'] as const

export const insertOrganization = (work: Work, row: Insertable<Organizations>): Promise<OrganizationRow> =>
  work.db.insertInto('organizations').values(row).returning(organizationColumns).executeTakeFirstOrThrow()

/** The caller's own organization: the policies show no other. */
export async function selectOrganization(view: Pick<View, 'db'>): Promise<OrganizationRow> {
  const [organization] = await runSql<OrganizationRow>(view.db, organizationText)
  if (organization === undefined) throw new Error('the organization of this transaction does not exist')
  return organization
}
const organizationText = `select ${organizationColumns.join(', ')} from organizations`

export const lockOrganization = (work: Work): Promise<OrganizationRow> =>
  work.db.selectFrom('organizations').select(organizationColumns).forUpdate().executeTakeFirstOrThrow()

export const updateOrganization = (work: Work, change: Updateable<Organizations>): Promise<OrganizationRow> =>
  work.db.updateTable('organizations').set(change).returning(organizationColumns).executeTakeFirstOrThrow()

/** Said again where keys are read: the policies also show the key that is presented, and that `or` needs no index. */
const ofTenant = sql<string>`current_setting('app.organization_id')`

export const insertApiKey = (work: Work, row: Insertable<ApiKeys>): Promise<ApiKeyRow> =>
  work.db.insertInto('api_keys').values(row).returning(keyColumns).executeTakeFirstOrThrow()

export const selectApiKey = (view: View, id: string): Promise<ApiKeyRow | undefined> =>
  view.db
    .selectFrom('api_keys')
    .select(keyColumns)
    .where('organization_id', '=', ofTenant)
    .where('id', '=', id)
    .executeTakeFirst()

export const lockApiKey = (work: Work, id: string): Promise<ApiKeyRow | undefined> =>
  work.db
    .selectFrom('api_keys')
    .select(keyColumns)
    .where('organization_id', '=', ofTenant)
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst()

export const updateApiKey = (work: Work, id: string, change: Updateable<ApiKeys>): Promise<ApiKeyRow> =>
  work.db
    .updateTable('api_keys')
    .set(change)
    .where('organization_id', '=', ofTenant)
    .where('id', '=', id)
    .returning(keyColumns)
    .executeTakeFirstOrThrow()

/** Newest first. */
export const selectApiKeys = (view: View, page: PageRequest): Promise<ApiKeyRow[]> =>
  selectPage(
    view.db.selectFrom('api_keys').select(keyColumns).where('organization_id', '=', ofTenant),
    newestFirst,
    page,
  ).execute()

/** What is known of a credential before its tenant is: found by nothing but the hash, under a policy of its own. */
export type CredentialRow = Pick<
  Selectable<ApiKeys>,
  | 'organization_id'
  | 'id'
  | 'principal_id'
  | 'scopes'
  | 'rate_limit_per_minute'
  | 'allowed_cidrs'
  | 'allowed_sources'
  | 'expires_at'
  | 'revoked_at'
  | 'last_used_at'
>

export async function selectCredential(database: Database, secretHash: string): Promise<CredentialRow | null> {
  const begun = database.begin({ role: 'app', credentialHash: secretHash, readOnly: true })
  const [row] = await inTransaction(begun, (db) => runSql<CredentialRow>(db, credentialText, [secretHash]))
  return row ?? null
}

const credentialText = `select organization_id, id, principal_id, scopes, rate_limit_per_minute, allowed_cidrs,
  allowed_sources, expires_at, revoked_at, last_used_at from api_keys where secret_hash = $1`
