import t, { type Test } from 'tap'
import { createEventSignal } from '#platform/event-signal.ts'
import { harness } from '#test/harness.ts'
import { postgresWire } from '#test/postgres-wire.ts'
import { relay } from '#test/relayed.ts'
import { until } from '#test/until.ts'

const h = await harness(t)
const { organizationId } = h.tenant
const other = await h.otherTenant()
let products = 0
/** Writes something and numbers it; answers with the newest sequence. */
async function happen(tenant = h.tenant): Promise<number> {
  await tenant.stock([{ sku: `SKU-${products++}` }])
  await relay(h)
  const text = 'select sequence::int from event_heads where organization_id = $1'
  return (await h.db.query(text, [tenant.organizationId])).rows[0].sequence
}

/** A signal of its own along a wire of its own, and what it has told. */
async function listening(t: Test) {
  const wire = await postgresWire(t, h.databaseUrl)
  const config = { ...h.runtime.config, DIRECT_DATABASE_URL: wire.url }
  const signal = createEventSignal({ ...h.runtime, config })
  t.teardown(() => signal.close())
  const told: number[] = []
  const leave = signal.subscribe(organizationId, (sequence) => void told.push(sequence))
  return { wire, signal, told, leave }
}

t.test('tells of what the relay has numbered, of one organization, until it is left', async (t) => {
  const reached = await happen()
  const { signal, told, leave } = await listening(t)
  await until('the head there was', () => told.at(-1) === reached)
  const foreign: number[] = []
  signal.subscribe(other.organizationId, (sequence) => void foreign.push(sequence))
  const next = await happen()
  await until('the next', () => told.at(-1) === next)
  const theirs = await happen(other)
  await until('those of the other', () => foreign.at(-1) === theirs)
  t.same(told, [reached, next])
  leave()
  await happen()
  const latest = await happen(other)
  await until('what came after', () => foreign.at(-1) === latest)
  t.same(told, [reached, next], 'nothing after it was left')
})

t.test('a connection that breaks is opened again, and what happened meanwhile is told', async (t) => {
  const { wire, told } = await listening(t)
  await until('the head there was', () => told.length === 1)
  wire.cut(true)
  const missed = await happen()
  wire.mend()
  await until('what was missed', () => told.at(-1) === missed)
  const next = await happen()
  await until('it is told again at once', () => told.at(-1) === next)
})

t.test('where it cannot listen it looks every second', async (t) => {
  const { wire, told } = await listening(t)
  await until('the head there was', () => told.length === 1)
  wire.cut(true)
  for (const _ of [1, 2]) {
    const next = await happen()
    await until('the next', () => told.at(-1) === next)
  }
})
