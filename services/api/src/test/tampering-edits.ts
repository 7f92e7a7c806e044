import type { TamperedLedger, Tampering } from './tampering.ts'

/** A position that both checkpoints cover. */
export const victim = 9

export const row = (position: number) =>
  `organization_id = $1 and id = (select id from events where organization_id = $1 and sequence = ${position})`
export const edit =
  (table: 'ledger' | 'events', change: string) =>
  ({ db, organizationId }: TamperedLedger) =>
    db.query(`update ${table} set ${change} where ${row(victim)}`, [organizationId])
export const remove = async (
  { db, organizationId }: TamperedLedger,
  condition: string,
  from = ['ledger', 'events'],
) => {
  const ids = `(select id from events where organization_id = $1 and ${condition})`
  for (const table of from)
    await db.query(`delete from ${table} where organization_id = $1 and id in ${ids}`, [organizationId])
}
export const altered = () => ({ position: victim, kind: 'altered' })
export const missing = () => ({ position: victim, kind: 'missing' })

const editing = (name: string, table: 'ledger' | 'events', change: string): Tampering => ({
  name: `${name} in ${table}`,
  run: edit(table, change),
  found: altered,
  // An export is made of the ledger; of the events it has position, digest and hash.
  ...(table === 'ledger' || /hash|digest/.test(change) ? {} : { offline: 'nothing' }),
})

export const edits: readonly Tampering[] = [
  editing('a value', 'ledger', `data = jsonb_set(data, '{name}', '"Mueller"')`),
  editing('a number by the least', 'ledger', `data = jsonb_set(data, '{share}', '8.100000000000001')`),
  editing('one more field', 'ledger', `data = data || '{"note": "x"}'`),
  editing('one field less', 'ledger', `data = data - 'nothing'`),
  editing('the actor', 'ledger', `actor = jsonb_set(actor, '{id}', '"somebody else"')`),
  editing('the key of the actor', 'ledger', `actor = jsonb_set(actor, '{keyId}', '"key_1"')`),
  {
    ...editing('one more field of the actor', 'ledger', `actor = actor || '{"name": "x"}'`),
    offline: { kind: 'altered' },
  },
  editing('the actor', 'events', `actor_id = 'somebody else'`),
  editing('the type', 'ledger', `type = 'location.updated'`),
  editing('the type', 'events', `type = 'location.updated'`),
  editing('the time', 'ledger', `occurred_at = occurred_at - interval '1 millisecond'`),
  editing('the time', 'events', `occurred_at = occurred_at + interval '1 day'`),
  editing('the request', 'ledger', `request_id = 'req_other'`),
  editing('the resource', 'ledger', `resource_id = 'loc_other'`),
  editing('the resource', 'events', `resource_id = 'loc_other'`),
  editing('the type of the resource', 'ledger', `resource_type = 'order'`),
  editing('the type of the resource', 'events', `resource_type = 'order'`),
  editing('the version', 'ledger', 'resource_version = 2'),
  editing('the schema version', 'ledger', 'schema_version = 2'),
  editing('what changed', 'ledger', `changed = '{name}'`),
  editing('the hash', 'events', `hash = sha256('x')`),
  editing('the digest', 'events', `personal_digest = sha256('x')`),
  {
    name: 'the time in both tables',
    run: async (ledger) => {
      for (const table of ['ledger', 'events'] as const) await edit(table, `occurred_at = '2020-01-01Z'`)(ledger)
    },
    found: altered,
  },
  {
    name: 'personal data',
    run: async ({ db, organizationId }) => {
      const text = `update ledger set personal = '{"email": "other@example.com"}' where organization_id = $1
        and id = (select min(id) from ledger where organization_id = $1 and personal is not null)`
      await db.query(text, [organizationId])
    },
    found: () => ({ position: firstPersonal, kind: 'altered' }),
    // Personal data is not exported; its digest is still the one that was recorded.
    offline: 'nothing',
  },
]

/** The factories record three events before the first with personal data. */
const firstPersonal = 4

export const deletions: readonly Tampering[] = [
  {
    name: 'one deleted in the middle',
    run: (ledger) => remove(ledger, `sequence = ${victim}`, ['ledger', 'events']),
    found: missing,
  },
  {
    name: 'the ledger row of one deleted',
    run: (ledger) => remove(ledger, `sequence = ${victim}`, ['ledger']),
    found: missing,
    offline: { kind: 'altered' },
  },
  {
    name: 'the event of one deleted',
    run: (ledger) => remove(ledger, `sequence = ${victim}`, ['events']),
    found: missing,
  },
  {
    name: 'the first one deleted',
    run: (ledger) => remove(ledger, 'sequence = 1'),
    found: () => ({ position: 1, kind: 'missing' }),
  },
  {
    name: 'the tail deleted',
    run: (ledger) => remove(ledger, `sequence > ${ledger.head - 3}`),
    found: ({ head }) => ({ position: head - 2, kind: 'missing' }),
  },
  {
    name: 'the tail deleted behind the newest checkpoint, and the head set back',
    run: async (ledger) => {
      await remove(ledger, `sequence >= ${ledger.checkpoints[1]}`)
      await ledger.rechain()
    },
    found: ({ checkpoints }) => ({ position: checkpoints[1], kind: 'missing' }),
  },
  {
    name: 'everything truncated',
    run: ({ db }) => db.query('truncate ledger, events'),
    found: () => ({ position: 1, kind: 'missing' }),
  },
  {
    name: 'everything truncated, the heads too',
    run: ({ db }) => db.query('truncate ledger, events, event_heads'),
    found: () => ({ position: 1, kind: 'missing' }),
  },
]
