import type pg from 'pg'
import { chainedEvent, selectStoredEvents } from '#features/audit/index.ts'
import { eventHash, noHash } from '#platform/event-chain.ts'
import { newId } from '#platform/id.ts'
import { systemOrigin } from '#platform/work.ts'
import type { Harness } from './harness.ts'
import { relay } from './relayed.ts'

/** A ledger to be tampered with: 40 events and more of one organization, with checkpoints at two positions. */
export interface TamperedLedger {
  readonly db: pg.Pool
  readonly organizationId: string
  readonly otherOrganizationId: string
  /** Positions of the checkpoints, and the newest event. */
  readonly checkpoints: readonly [number, number]
  readonly head: number
  /** Hashes everything anew, as somebody would who knows how. */
  rechain(): Promise<void>
}

const tables = ['ledger', 'events', 'event_heads', 'ledger_checkpoints', 'relay_state'] as const

/** Records events with and without personal data, and signs twice. */
export async function createTamperedLedger(h: Harness): Promise<TamperedLedger & { restore(): Promise<void> }> {
  const { organizationId } = h.tenant
  const { organizationId: otherOrganizationId } = await h.otherTenant()
  for (const tenant of [otherOrganizationId, organizationId]) await record(h, tenant, 15)
  const sign = async (): Promise<number> => {
    await numbered(h)
    return (await h.as(h.tenant.key).post('/v1/audit/checkpoints')).body.data.sequence
  }
  const first = await sign()
  await record(h, organizationId, 15)
  const second = await sign()
  await record(h, organizationId, 8)
  await numbered(h)
  const { rows } = await h.db.query('select sequence::int from event_heads where organization_id = $1', [
    organizationId,
  ])
  for (const table of tables) await h.db.query(`create table saved_${table} as table ${table}`)
  return {
    db: h.db,
    organizationId,
    otherOrganizationId,
    checkpoints: [first, second],
    head: rows[0].sequence,
    rechain: () => rechain(h, organizationId),
    async restore() {
      // For so few rows a truncation, which gives each partition and index a new file, costs more than all the rest.
      const anew = tables.map((table) => `delete from ${table}; insert into ${table} select * from saved_${table}`)
      await h.db.query(anew.join('; '))
    },
  }
}

async function record(h: Harness, organizationId: string, count: number): Promise<void> {
  const { log, unitOfWork } = h.runtime
  const origin = systemOrigin({ organizationId, name: 'test', requestId: 'req_test', traceparent: null, log })
  for (let index = 0; index < count; index++)
    await unitOfWork.write(origin, async (work) => {
      const id = newId('loc')
      const data = { id, name: `Müller\u2028& Söhne ${index}`, share: 0.1 + index, nothing: null }
      const personal = index % 3 === 0 ? { personal: { email: `${index}@example.com` } } : {}
      work.record({ type: 'location.created', resource: { type: 'location', id, version: 1 }, data, ...personal })
    })
}

/** Everything numbered, and the position of the relay behind it, as a relay that works leaves it. */
async function numbered(h: Harness): Promise<void> {
  await relay(h)
  await h.db.query(`update relay_state set (position_xid, position_id, system_identifier) = (
    select xid, id, (select system_identifier from pg_control_system())::text from ledger order by xid desc, id desc limit 1)`)
}

/** What an event has of its ledger row: a forger who knows how leaves no difference. */
const copyColumns = `update events e set type = l.type, resource_type = l.resource_type, resource_id = l.resource_id,
    occurred_at = l.occurred_at, actor_id = l.actor ->> 'id'
  from ledger l where l.organization_id = e.organization_id and l.id = e.id and e.organization_id = $1`

async function rechain(h: Harness, organizationId: string): Promise<void> {
  const { log, unitOfWork } = h.runtime
  const origin = systemOrigin({ organizationId, name: 'test', requestId: 'req_test', traceparent: null, log })
  const events = await unitOfWork.read(origin, (view) => selectStoredEvents(view, 0, 1_000_000, 1_000_000))
  await h.db.query(copyColumns, [organizationId])
  let previousHash = noHash
  for (const event of events) {
    const { content } = event
    if (content === null) throw new Error('a forger would not leave an event without its row')
    previousHash = eventHash({ ...chainedEvent(event, content), organizationId, previousHash })
    await h.db.query(`update events set hash = decode($1, 'hex') where id = $2`, [previousHash, event.id])
  }
  const text = `update event_heads set sequence = $1, hash = decode($2, 'hex') where organization_id = $3`
  await h.db.query(text, [events.at(-1)?.sequence, previousHash, organizationId])
}

export interface Tampering {
  readonly name: string
  run(ledger: TamperedLedger): Promise<unknown>
  /** The first bad position and what the service says of it. */
  readonly found: (ledger: TamperedLedger) => { readonly position: number; readonly kind: string }
  /** What an export made afterwards shows; 'nothing' where the tampering is not in what is exported. */
  readonly offline?: 'nothing' | { readonly kind: string; readonly position?: number }
}
