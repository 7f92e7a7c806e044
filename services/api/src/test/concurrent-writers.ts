import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import type { Test } from 'tap'
import { newId } from '#platform/id.ts'
import { startRelay } from '#platform/relay/relay.ts'
import { harness } from './harness.ts'
import { beginAs, recordVersion } from './ledger-rows.ts'
import { ownCluster } from './own-cluster.ts'
import { seededRandom } from './seeded-random.ts'
import { until } from './until.ts'

const writers = 12
const organizations = ['org_one', 'org_two', 'org_three']
const countersPerOrganization = 4

/** What somebody wrote, and what became of it. */
interface Written {
  readonly organizationId: string
  readonly id: string
  readonly resourceId: string
  readonly version: number
}

interface Books {
  readonly committed: Written[]
  readonly rolledBack: Written[]
}

/** What a reader got of one organization, in the order in which it got it. */
type Read = Map<string, string[]>

/**
 * 12 writers for this long, with random pauses before COMMIT and some roll-backs; one reader follows the relay's
 * sequence, another makes the old mistake and follows the ids of the ledger.
 */
export async function numberUnderWriters(t: Test, { seconds, seed }: { seconds: number; seed: number }) {
  const { databaseUrl } = await ownCluster(t)
  const { runtime, db } = await harness(t, { databaseUrl })
  await db.query(
    `create table counters as select o as organization_id, 'prd_' || c as id, 0 as version
    from unnest($1::text[]) o, generate_series(1, ${countersPerOrganization}) c`,
    [organizations],
  )
  await db.query('grant select, update on counters to purser_app')
  const relay = startRelay({ ...runtime, fanOuts: [] })
  const books: Books = { committed: [], rolledBack: [] }
  const stop = new AbortController()
  const [bySequence, byId] = [follow(db, stop.signal, sequenceText), follow(db, stop.signal, idText)]
  const deadline = Date.now() + seconds * 1_000
  await Promise.all(
    Array.from({ length: writers }, (_, n) => write(databaseUrl, deadline, seededRandom(seed + n), books)),
  )
  const numbered = 'select count(*)::int as n from events where organization_id = any($1)'
  await until(
    'every row is numbered',
    async () => (await db.query(numbered, [organizations])).rows[0].n === books.committed.length,
  )
  await delay(200)
  stop.abort()
  await relay.stop()
  const [read, mistaken] = await Promise.all([bySequence, byId])
  const { rows } = await db.query(
    `select organization_id, count(*)::int as n, max(sequence)::int as newest
    from events where organization_id = any($1) group by 1`,
    [organizations],
  )
  for (const { organization_id, n, newest } of rows) t.equal(n, newest, `${organization_id}: gap-free from 1`)
  t.equal(rows.length, organizations.length)
  t.same(faults(read, books), [], 'every committed event was read once and in order, none of a rolled-back one')
  const missed = faults(mistaken, books)
  t.ok(missed.length > 0, 'a cursor by id fails the same check')
  const lost = missed.filter((fault) => fault.endsWith('was lost')).length
  t.comment(`| seed ${seed}: ${books.committed.length} rows committed, ${books.rolledBack.length} rolled back`)
  t.comment(`| by sequence ${count(read)} read and none lost; by id ${count(mistaken)} read and ${lost} lost`)
}

const count = (read: Read): number => [...read.values()].reduce((sum, ids) => sum + ids.length, 0)

async function write(url: string, deadline: number, random: () => number, books: Books): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  while (Date.now() < deadline) {
    const organizationId = organizations[Math.floor(random() * organizations.length)] as string
    await beginAs(client, organizationId)
    const written: Written[] = []
    const record = async (resourceId: string, version: number) => {
      written.push({ organizationId, id: await recordVersion(client, resourceId, version), resourceId, version })
    }
    await record(newId('prd'), 1)
    await delay(random() * 20)
    if (random() < 0.5) {
      const counter = `prd_${1 + Math.floor(random() * countersPerOrganization)}`
      const { rows } = await client.query(
        'update counters set version = version + 1 where organization_id = $1 and id = $2 returning version',
        [organizationId, counter],
      )
      await record(counter, rows[0].version)
    }
    await delay(random() < 0.05 ? 200 * random() : 30 * random())
    const keep = random() < 0.85
    await client.query(keep ? 'commit' : 'rollback')
    books[keep ? 'committed' : 'rolledBack'].push(...written)
  }
  await client.end()
}

const sequenceText = `select id, sequence as place from events where organization_id = $1 and sequence > $2 order by sequence`
const idText = `select id, id as place from ledger where organization_id = $1 and id > $2 order by id`

/** Reads what is new again and again, from where it was. */
async function follow(db: pg.Pool, signal: AbortSignal, text: string): Promise<Read> {
  const read: Read = new Map(organizations.map((id) => [id, []]))
  const places = new Map<string, string>()
  const start = text === sequenceText ? '0' : ''
  while (!signal.aborted) {
    for (const organizationId of organizations) {
      const { rows } = await db.query(text, [organizationId, places.get(organizationId) ?? start])
      read.get(organizationId)?.push(...rows.map(({ id }) => id))
      if (rows.length > 0) places.set(organizationId, rows.at(-1).place)
    }
    await delay(5)
  }
  return read
}

/** What was lost, read twice, made up, or read before the version of its resource that came first. */
function faults(read: Read, { committed, rolledBack }: Books): string[] {
  const found: string[] = []
  const undone = new Set(rolledBack.map(({ id }) => id))
  const byId = new Map(committed.map((written) => [written.id, written]))
  for (const [organizationId, ids] of read) {
    const seen = new Set(ids)
    if (seen.size !== ids.length) found.push(`${organizationId}: something was read twice`)
    for (const { id, organizationId: owner } of committed)
      if (owner === organizationId && !seen.has(id)) found.push(`${id} was lost`)
    for (const id of ids) if (undone.has(id) || !byId.has(id)) found.push(`${id} was never committed`)
    const versions = new Map<string, number>()
    for (const id of ids) {
      const { resourceId = '', version = 0 } = byId.get(id) ?? {}
      if (version !== (versions.get(resourceId) ?? 0) + 1) found.push(`${resourceId}: version ${version} out of order`)
      versions.set(resourceId, version)
    }
  }
  return found
}
