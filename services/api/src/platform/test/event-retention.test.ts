import t from 'tap'
import { keepEventPartitions } from '#platform/event-retention.ts'
import { harness } from '#test/harness.ts'
import { jobContext } from '#test/job-context.ts'
import { relay } from '#test/relayed.ts'

const now = new Date('2026-08-20T12:00:00Z')
const h = await harness(t, { clock: { now: () => now }, env: { EVENT_RETENTION_DAYS: '90' } })
const select = async (text: string, values: unknown[] = []) => (await h.db.query(text, values)).rows
const keep = () => keepEventPartitions.run(jobContext(h.runtime, 'events.keepPartitions'), {})
const partitionsOf = async (parent: string): Promise<string[]> =>
  (
    await select(
      `select c.relname as name from pg_inherits join pg_class c on c.oid = inhrelid
       where inhparent = $1::regclass order by 1`,
      [parent],
    )
  ).map(({ name }) => name)
let written = 0
/** A row of the ledger as it was written at a past moment, before its partition existed. */
const writeAt = (organizationId: string, at: string) =>
  select(
    `insert into ledger (organization_id, id, type, occurred_at, actor, request_id, resource_type, resource_id,
       resource_version, changed, data)
     values ($1, left(time_id('evt', $2), 14) || lpad($3, 16, '0'), 'product.created', $2,
       '{"type": "system", "id": "test", "keyId": null}', 'req_1', 'product', 'prd_' || $3, 1, '{}', '{}')`,
    [organizationId, at, String(written++)],
  )
const one = h.tenant.organizationId
const { organizationId: two } = await h.otherTenant()
await relay(h)
const before = async (organizationId: string): Promise<number> =>
  (await select('select sequence::int as n from event_heads where organization_id = $1', [organizationId]))[0].n
const [startOfOne, startOfTwo] = [await before(one), await before(two)]

t.test('rows that have no number are not dropped', async (t) => {
  for (const at of ['2026-03-31T23:59:59.999Z', '2026-04-01T00:00:00Z', '2026-04-30T10:00:00Z']) await writeAt(one, at)
  await writeAt(two, '2026-05-21T10:00:00Z')
  await writeAt(one, '2026-05-01T00:00:00Z')
  await t.rejects(keep(), { message: /have not been numbered/ })
  const count = `select count(*)::int as n from ledger where type = 'product.created'`
  t.same(await select(count), [{ n: 5 }])
  t.same(await select('select count(*)::int as n from ledger_default'), [{ n: 0 }], 'but they have their partitions')
  t.same(await select('select count(*)::int as n from ledger_2026_04'), [{ n: 2 }])
})

t.test('whole months past their time go, and the floor says where events begin', async (t) => {
  await relay(h)
  await keep()
  for (const parent of ['ledger', 'events']) {
    const names = await partitionsOf(parent)
    t.notOk(names.includes(`${parent}_2026_03`) || names.includes(`${parent}_2026_04`), parent)
    t.ok(names.includes(`${parent}_2026_05`), `${parent}: a month that is partly to be kept is kept`)
    t.ok(names.includes(`${parent}_default`))
  }
  const [head] = await select(
    `select h.floor_sequence::int as floor, encode(floor_hash, 'hex') as hash, sequence::int as newest from event_heads h
     where organization_id = $1`,
    [one],
  )
  t.match(head, { floor: startOfOne + 3, hash: /^[0-9a-f]{64}$/, newest: startOfOne + 4 })
  t.same(
    await select('select sequence::int as n from events where organization_id = $1 and sequence > $2', [
      one,
      head.floor,
    ]),
    [{ n: startOfOne + 4 }],
  )
  t.same(
    await select(
      'select floor_sequence::int as floor, floor_hash as hash, sequence::int as newest from event_heads where organization_id = $1',
      [two],
    ),
    [{ floor: 0, hash: null, newest: startOfTwo + 1 }],
    'nothing of the other was old enough',
  )
})

t.test('the coming months have partitions, made once', async (t) => {
  const partitions = await partitionsOf('events')
  const { rows } = await h.db.query(
    `select to_char(now() at time zone 'UTC' + make_interval(months => ahead), '"events_"YYYY_MM') as name
     from generate_series(0, 3) ahead`,
  )
  for (const { name } of rows) t.ok(partitions.includes(name), name)
  await keep()
  t.same(await partitionsOf('events'), partitions)
})
