import { readFile, writeFile } from 'node:fs/promises'
import t from 'tap'
import { createUnitOfWork } from '#platform/unit-of-work.ts'
import { type Count, countedDatabase } from './counted-database.ts'
import { type Harness, harness } from './harness.ts'
import { type Operation, operations, parametersIn } from './operations.ts'
import { relay } from './relayed.ts'
import { createSampler, requestOf, type Sample, type Sampler, sampleSkuAt } from './samples.ts'

// Runs in a process of its own: it takes as long as a group.

const many = 100
const file = new URL('../../../../docs/statements.md', import.meta.url)
const now = new Date()
let take: () => Count = () => ({ statements: 0, trips: 0 })
const h: Harness = await harness(t, {
  // A key whose last use was a minute ago is written; here it was used just now.
  clock: { now: () => now },
  replace: (runtime) => {
    const counted = countedDatabase(runtime.database)
    take = counted.take
    return { database: counted.database, unitOfWork: createUnitOfWork({ ...runtime, database: counted.database }) }
  },
})
const client = h.as(h.tenant.key)

/** As it was before each count: what is set to what it is already takes fewer statements. */
const stocked = Array.from({ length: many }, (_, index) => ({ sku: sampleSkuAt(index), onHand: 100_000 }))

/** Everything that is listed is there more than a hundred times. */
async function fill(sampler: Sampler): Promise<void> {
  for (const id of ['locations.create', 'apiKeys.create', 'products.create', 'reservations.create', 'orders.place']) {
    const operation = operations.find((one) => one.id === id)
    if (!operation) throw new Error(`there is no operation ${id}`)
    for (let index = 0; index < many; index++) await client.send(requestOf(await sampleOf(sampler, operation)))
  }
  await relay(h)
}

/** Full samples of these would be in the way of others: a default location without stock, products not for sale. */
const modest = ['locations.create', 'products.upsertBatch']
const sampleOf = (sampler: Sampler, operation: Operation): Promise<Sample> =>
  modest.includes(operation.id) ? sampler.example(operation) : sampler.full(operation)

/** A page of `size`, or a body whose list has `size` entries. */
function sized(sample: Sample, size: number): Sample {
  const { operation } = sample
  const limit = parametersIn(operation, 'query').find(({ name }) => name === 'limit' || name === 'pageSize')
  const query = limit === undefined ? {} : { [limit.name]: String(size) }
  return { ...sample, query, body: withEntries(sample.body, size) }
}

function withEntries(body: unknown, size: number): unknown {
  if (typeof body !== 'object' || body === null) return body
  const entries = Object.entries(body).map(([name, value]) => {
    const isList = Array.isArray(value) && typeof value[0] === 'object' && repeated.includes(name)
    return [name, isList ? Array.from({ length: size }, (_, index) => entryAt(value[0], index)) : value]
  })
  return Object.fromEntries(entries)
}

/** Lists whose entries are things of their own. */
const repeated = ['lines', 'orders', 'products', 'levels']

function entryAt(entry: object, index: number): object {
  if ('externalId' in entry) return { ...entry, externalId: `${entry.externalId}-${index}` }
  return 'sku' in entry ? { ...entry, sku: sampleSkuAt(index) } : entry
}

async function countOf(sampler: Sampler, operation: Operation, size: number): Promise<Count> {
  await h.tenant.stock(stocked)
  const sample = sized(await sampleOf(sampler, operation), size)
  take()
  const answer = await client.send(requestOf(sample))
  if (answer.status >= 300) throw new Error(`${operation.id}: ${answer.text}`)
  return take()
}

t.test('every operation takes as many statements for a hundred as for one, and as many as documented', async (t) => {
  t.setTimeout(240_000)
  const [few, full] = [await createSampler(h, h.tenant, 1), await createSampler(h, h.tenant, many)]
  await fill(few)
  const rows: string[] = []
  for (const operation of operations.filter(({ isStream }) => !isStream)) {
    await countOf(few, operation, 1)
    const one = await countOf(few, operation, 1)
    t.same(await countOf(full, operation, many), one, operation.id)
    const { id, method, path } = operation
    rows.push(`| \`${id}\` | \`${method} ${path}\` | ${one.statements} | ${one.trips} |`)
  }
  const text = `${introduction}\n${rows.sort().join('\n')}\n`
  if (process.env.TAP_SNAPSHOT === '1') await writeFile(file, text)
  const written = await readFile(file, 'utf8').catch(() => '')
  t.equal(
    written,
    text,
    'docs/statements.md is current: `npm test -- --snapshot services/api/src/test/statements.test.ts`',
  )
})

const introduction = `# Statements

What each operation asks of the database, counted by a test that also writes this page. The numbers are the same for one
line, entry or item and for a hundred of them. BEGIN, the tenant and COMMIT travel with them and are not counted; the
look-up of the API key, which is remembered for some seconds, comes on top. A trip is one wait for the database: what is
sent together shares it.

| operation | request | statements | trips |
|---|---|---|---|`
