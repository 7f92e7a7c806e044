import { sql } from 'kysely'
import { type EndpointRow, endpointColumns } from '#features/webhook-delivery/index.ts'
import type { Actor } from '#platform/actor.ts'
import { newestFirst, type PageRequest, selectPage } from '#platform/page.ts'
import type { View, Work } from '#platform/work.ts'

/** Lets one registration of an organization happen at a time, and counts what is registered already. */
export async function countEndpoints(work: Work): Promise<number> {
  const lock = `webhook_endpoints ${work.actor.organizationId}`
  await sql`select pg_advisory_xact_lock(hashtextextended(${lock}, 0))`.execute(work.db)
  const { count } = await work.db
    .selectFrom('webhook_endpoints')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('archived_at', 'is', null)
    .executeTakeFirstOrThrow()
  return count
}

export const insertEndpoint = (work: Work, row: EndpointRow) =>
  work.db.insertInto('webhook_endpoints').values(row).execute()

/** Writes an endpoint that is locked. */
export const updateEndpoint = (work: Work, { id, created_at: _createdAt, ...row }: EndpointRow) =>
  work.db.updateTable('webhook_endpoints').set(row).where('id', '=', id).execute()

export const selectEndpoint = (view: View, id: string): Promise<EndpointRow | undefined> =>
  view.db
    .selectFrom('webhook_endpoints')
    .select(endpointColumns)
    .where('id', '=', id)
    .where('archived_at', 'is', null)
    .executeTakeFirst()

/** Newest first, without those that were deleted and those of other sources than the actor's. */
export function selectEndpoints(view: View, page: PageRequest): Promise<EndpointRow[]> {
  const rows = selectPage(view.db.selectFrom('webhook_endpoints').select(endpointColumns), newestFirst, page)
  const { sources } = view.actor
  const kept = rows.where('archived_at', 'is', null)
  return (sources === null ? kept : kept.where(boundTo(sources))).execute()
}

/** Whether an endpoint hears of nothing but orders of these sources. */
export const boundTo = (sources: NonNullable<Actor['sources']>) =>
  sql<boolean>`cardinality(allowed_sources) > 0 and allowed_sources <@ ${[...sources]}::text[]`

interface SecretRow {
  readonly id: string
  readonly endpoint_id: string
  readonly ciphertext: string
  readonly created_at: Date
}

/** Adds the current secret of an endpoint; there must be no other. */
export const insertSecret = (work: Work, row: SecretRow) =>
  work.db
    .insertInto('webhook_secrets')
    .values({ ...row, expires_at: null })
    .execute()

/** Lets the current secret sign until `until`, and the one before it no more. */
export const retireSecrets = (work: Work, endpointId: string, until: Date) =>
  work.db
    .updateTable('webhook_secrets')
    .set({
      expires_at: sql<Date>`case when expires_at is null then ${until}::timestamptz else ${work.now}::timestamptz end`,
    })
    .where('endpoint_id', '=', endpointId)
    .where(sql<boolean>`(expires_at is null or expires_at > ${work.now})`)
    .execute()
