import { randomBytes } from 'node:crypto'
import { type LedgerKeys, ledgerKeys } from '#platform/ledger-keys.ts'
import type { TamperedLedger, Tampering } from './tampering.ts'
import { altered, deletions, edit, edits, missing, remove, row, victim } from './tampering-edits.ts'

const insertions: readonly Tampering[] = [
  {
    name: 'a ledger row inserted as of an old transaction',
    run: async ({ db, organizationId }) => {
      await copyRow('ledger', { xid: "'3'::xid8", id: `overlay(id placing 'zzzz' from 27)` })({ db, organizationId })
    },
    found: () => ({ position: victim + 1, kind: 'unnumbered' }),
    offline: 'nothing',
  },
  {
    name: 'a ledger row inserted as of a transaction to come',
    run: async ({ db, organizationId }) => {
      await copyRow('ledger', { xid: "'9000000000000'::xid8", id: `overlay(id placing 'zzzz' from 27)` })({
        db,
        organizationId,
      })
    },
    found: () => ({ position: victim + 1, kind: 'unnumbered' }),
    offline: 'nothing',
  },
  {
    name: 'an event inserted with its row at a position that is taken',
    run: async ({ db, organizationId }) => {
      for (const table of ['ledger', 'events'] as const)
        await copyRow(table, { id: `overlay(id placing 'zzzz' from 27)` })({ db, organizationId })
    },
    found: () => ({ position: victim, kind: 'misplaced' }),
    offline: { kind: 'misplaced', position: victim + 1 },
  },
  {
    name: 'an event appended behind the head',
    run: async ({ db, organizationId, head }) => {
      const ids = { id: `overlay(id placing 'zzzz' from 27)` }
      await copyRow('ledger', ids)({ db, organizationId })
      await copyRow('events', { ...ids, sequence: String(head + 1) })({ db, organizationId })
    },
    found: ({ head }) => ({ position: head + 1, kind: 'headDiffers' }),
    offline: 'nothing',
  },
]

/** Copies the row of the victim with other values. */
function copyRow(table: 'ledger' | 'events', values: Readonly<Record<string, string>>) {
  return async ({ db, organizationId }: Pick<TamperedLedger, 'db' | 'organizationId'>) => {
    const { fields } = await db.query(`select * from ${table} limit 0`)
    const list = fields.map(({ name }) => values[name] ?? name).join(', ')
    await db.query(`insert into ${table} select ${list} from ${table} where ${row(victim)}`, [organizationId])
  }
}

const moves: readonly Tampering[] = [
  {
    name: 'two neighbours swapped',
    run: swapSequences(victim, victim + 1),
    found: altered,
  },
  { name: 'two far apart swapped', run: swapSequences(victim, 30), found: altered },
  {
    name: 'the contents of two swapped',
    run: async ({ db, organizationId }) => {
      const ids = `(select id from events where organization_id = $1 and sequence in (${victim}, ${victim + 1}))`
      const text = `update ledger l set data = o.data, resource_id = o.resource_id from ledger o
        where l.organization_id = $1 and o.organization_id = $1 and l.id in ${ids} and o.id in ${ids} and o.id <> l.id`
      await db.query(text, [organizationId])
    },
    found: altered,
  },
  {
    name: 'a position left out',
    run: async ({ db, organizationId }) => {
      await db.query(`update events set sequence = sequence + 1 where organization_id = $1 and sequence >= ${victim}`, [
        organizationId,
      ])
    },
    found: missing,
  },
  {
    name: 'the ledger row moved to another tenant',
    run: moveTo(['ledger']),
    found: missing,
    offline: { kind: 'altered' },
  },
  { name: 'row and event moved to another tenant', run: moveTo(['ledger', 'events']), found: missing },
]

function swapSequences(a: number, b: number): Tampering['run'] {
  return ({ db, organizationId }) =>
    db.query(
      `update events set sequence = ${a + b} - sequence where organization_id = $1 and sequence in (${a}, ${b})`,
      [organizationId],
    )
}

function moveTo(from: readonly ('ledger' | 'events')[]): Tampering['run'] {
  return async ({ db, organizationId, otherOrganizationId }) => {
    const { rows } = await db.query(`select id from events where ${row(victim)}`, [organizationId])
    for (const table of from)
      await db.query(`update ${table} set organization_id = $2 where organization_id = $1 and id = $3`, [
        organizationId,
        otherOrganizationId,
        rows[0].id,
      ])
  }
}

const firstCheckpoint =
  (kind: string): Tampering['found'] =>
  ({ checkpoints }) => ({ position: checkpoints[0], kind })

const forgeries: readonly Tampering[] = [
  {
    name: 'one edited and everything chained anew',
    run: async (ledger) => {
      await edit('ledger', `data = data || '{"note": "x"}'`)(ledger)
      await ledger.rechain()
    },
    found: firstCheckpoint('checkpointDiffers'),
    offline: { kind: 'checkpointDiffers' },
  },
  {
    name: 'one deleted, the others moved up and chained anew',
    run: async (ledger) => {
      const { db, organizationId } = ledger
      await remove(ledger, `sequence = ${victim}`)
      await db.query(`update events set sequence = sequence - 1 where organization_id = $1 and sequence > ${victim}`, [
        organizationId,
      ])
      await ledger.rechain()
    },
    found: firstCheckpoint('checkpointDiffers'),
    offline: { kind: 'checkpointDiffers' },
  },
  {
    name: 'one hashed anew alone',
    run: async (ledger) => {
      await edit('ledger', `data = data || '{"note": "x"}'`)(ledger)
      const { db, organizationId } = ledger
      const { rows } = await db.query(`select id, hash from events where ${row(victim + 1)}`, [organizationId])
      await ledger.rechain()
      await db.query('update events set hash = $1 where id = $2', [rows[0].hash, rows[0].id])
    },
    found: () => ({ position: victim + 1, kind: 'altered' }),
  },
  {
    name: 'a checkpoint dropped',
    run: ({ db, organizationId }) =>
      db.query('delete from ledger_checkpoints where organization_id = $1 and number = 1', [organizationId]),
    found: firstCheckpoint('checkpointMissing'),
    offline: 'nothing',
  },
  {
    name: 'the newest checkpoint dropped',
    run: ({ db, organizationId }) =>
      db.query('delete from ledger_checkpoints where organization_id = $1 and number = 2', [organizationId]),
    found: ({ checkpoints }) => ({ position: checkpoints[1], kind: 'checkpointMissing' }),
    offline: 'nothing',
  },
  {
    name: 'everything chained anew and the checkpoints forged with another key',
    run: async (ledger) => {
      await edit('ledger', `data = data || '{"note": "x"}'`)(ledger)
      await ledger.rechain()
      await forge(ledger, forgersKeys())
    },
    found: firstCheckpoint('checkpointInvalid'),
    offline: { kind: 'checkpointInvalid', position: 1 },
  },
  {
    name: 'the hash of a checkpoint edited beside its signature',
    run: async (ledger) => {
      await edit('ledger', `data = data || '{"note": "x"}'`)(ledger)
      await ledger.rechain()
      const { db, organizationId } = ledger
      const text = `update ledger_checkpoints c set hash = e.hash from events e
        where c.organization_id = $1 and e.organization_id = $1 and e.sequence = c.sequence`
      await db.query(text, [organizationId])
    },
    found: firstCheckpoint('checkpointInvalid'),
    offline: { kind: 'checkpointDiffers' },
  },
  {
    name: 'the time of a checkpoint edited',
    run: ({ db }) => db.query(`update ledger_checkpoints set signed_at = signed_at + interval '1 day'`),
    found: firstCheckpoint('checkpointInvalid'),
    offline: 'nothing',
  },
  {
    name: 'the hash of the head edited',
    run: ({ db }) => db.query(`update event_heads set hash = sha256('x')`),
    found: ({ head }) => ({ position: head, kind: 'headDiffers' }),
    offline: 'nothing',
  },
  {
    name: 'the head set back',
    run: ({ db, organizationId, head }) =>
      db.query(
        `update event_heads h set sequence = e.sequence, hash = e.hash from events e
        where h.organization_id = $1 and e.organization_id = $1 and e.sequence = ${head - 1}`,
        [organizationId],
      ),
    found: ({ head }) => ({ position: head, kind: 'headDiffers' }),
    offline: 'nothing',
  },
  {
    name: 'the head deleted',
    run: ({ db }) => db.query('delete from event_heads'),
    found: () => ({ position: 1, kind: 'missing' }),
  },
]

/** Signs the checkpoints anew over the hashes there are now, with their right contents. */
async function forge({ db, organizationId }: TamperedLedger, keys: LedgerKeys): Promise<void> {
  const { rows } = await db.query(
    `select c.id, c.number, c.sequence::int, encode(e.hash, 'hex') as hash, c.signed_at from ledger_checkpoints c
     join events e using (organization_id, sequence) where organization_id = $1 order by number`,
    [organizationId],
  )
  for (const { id, number, sequence, hash, signed_at } of rows) {
    const signed = { organizationId, id, number, sequence, hash, previous: null, signedAt: signed_at.toISOString() }
    const text = `update ledger_checkpoints set hash = decode($1, 'hex'), jws = $2, key_id = $3 where id = $4`
    await db.query(text, [hash, keys.sign(signed), keys.keyId, id])
  }
}

const forgersKeys = (): LedgerKeys =>
  ledgerKeys({ LEDGER_SIGNING_KEY: randomBytes(32).toString('base64'), LEDGER_PREVIOUS_PUBLIC_KEYS: '', DATA_DIR: '' })

/** Every way in which somebody with all rights might change what was recorded. */
export const tamperings: readonly Tampering[] = [...edits, ...deletions, ...insertions, ...moves, ...forgeries]
