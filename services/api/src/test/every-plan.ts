import type { Test } from 'tap'
import { verifyLongRange } from '#features/audit/jobs.ts'
import { writeExport } from '#features/audit-exports/jobs.ts'
import { allJobs } from '../runtime.ts'
import {
  type Explained,
  type ExplainedHarness,
  explainedHarness,
  pagesOf,
  planNodes,
  rowsRemoved,
} from './explained.ts'
import { jobContext } from './job-context.ts'
import { filledTables, manyRows } from './many-rows.ts'
import { type Operation, operations, parametersIn, resolve } from './operations.ts'
import { createSampler, pathOf, requestOf, type Sampler } from './samples.ts'
import { spread } from './spread.ts'

const testTimeoutMs = 1_200_000
const mostPages = 150
/** A page of 100 rows takes a page of the table each, and of an index; events are joined to their contents. */
const mostPagesOfLists = 600
const mostRemoved = 200
/** A range of a block range index is 16 pages. */
const mostRemovedOfRanges = 2_000
const mostScanned = 2
/** Statements that look through more on purpose, by a part of their text; each has a bound of its own. */
const searches = [
  // The newest thousand products, then what shares three characters with the query.
  'search_products',
  'select array( select id from ( select id, sku, title, status from products',
  'with found as materialized ( select id, status from products',
  // Counted to ten thousand.
  'select count(*)::integer as count from',
  // A verification looks at every row, five thousand at a time.
  'select l.id, (select (l.xid, l.id) <=',
  // The audit log begins alike: with the hash before each entry, and back through what is newer than its `to`.
  'select e.sequence, e.id, e.type, e.resource_type, e.resource_id, e.actor_id, e.occurred_at, e.personal_digest',
  // A replay looks at a thousand events, and at what came of each.
  'select e.id, e.type, e.sequence, e.resource_type, e.resource_id, l.data',
  // Send again, or end, up to a thousand deliveries; each row is in many indexes.
  'with found as materialized ((select id from webhook_deliveries',
  'with found as materialized (select id from webhook_deliveries',
  // A row, but the first of a connection opens more than a dozen indexes, with what the catalog says of each.
  'INSERT INTO pgboss.job_common (',
  // Change the catalog of tables, and look once through what is dropped.
  'select ensure_time_partitions',
  'select drop_time_partitions',
  'select from ledger l where l.id < time_id',
]

/**
 * Runs every operation and every timed job with few rows, then with `count` rows in every table under the plans that
 * were made for few, then with plans made for many: each statement goes by an index and throws away next to nothing.
 * Of what a filter can be, `mostValues` are asked for.
 */
export async function everyPlanIsServed(t: Test, count: number, mostValues = Number.POSITIVE_INFINITY): Promise<void> {
  t.setTimeout(testTimeoutMs)
  const h = await explainedHarness(t, { DB_STATEMENT_TIMEOUT_MS: '60000', HANDLER_TIMEOUT_MS: '60000' })
  // Statistics come when the test says, not when autovacuum has time.
  await h.db.query(withoutAutovacuum)
  const sampler = await createSampler(h)
  const run = () => runEverything(h, sampler, mostValues)
  await run()
  h.take()
  await manyRows(h.db, h.tenant, count)
  await t.test('under plans made for few rows', async (t) => {
    // Which index serves an almost empty table is a toss-up, until the first autoanalyze has looked at it.
    // A timed job may read a table that was small when its plan was made.
    const told = await run()
    report(
      t,
      told.filter(({ by }) => operations.some(({ id }) => id === by)),
      scansIn,
    )
  })
  await h.db.query(`vacuum analyze ${filledTables.join(', ')}`)
  await t.test('under plans made for many rows', async (t) => {
    report(t, await run(), (one) => [...scansIn(one), ...wasteIn(one)])
  })
}

const withoutAutovacuum = `do $$
  declare
    one regclass;
  begin
    for one in select oid from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace loop
      execute format('alter table %s set (autovacuum_enabled = off)', one);
    end loop;
  end
$$`

interface Told extends Explained {
  readonly by: string
}

async function runEverything(h: ExplainedHarness, sampler: Sampler, mostValues: number): Promise<readonly Told[]> {
  const told: Told[] = []
  const keep = (by: string) => void told.push(...h.take().map((one) => ({ by, ...one })))
  for (const operation of operations.filter(({ isStream }) => !isStream)) {
    await runOperation(h, sampler, operation, mostValues)
    keep(operation.id)
  }
  for (const job of allJobs.filter(({ schedule, name }) => schedule !== undefined && !(name in thorough))) {
    await job.run(jobContext(h.runtime, job.name), {} as never)
    keep(job.name)
  }
  for (const [name, run] of Object.entries(askedFor)) {
    await run(h)
    keep(name)
  }
  return told
}

/** Jobs that an operation asks for, of the end of the ledger. */
const askedFor: Readonly<Record<string, (h: ExplainedHarness) => Promise<void>>> = {
  async 'audit.verify'(h) {
    const { id: verificationId } = await ask(h, '/v1/audit/verify', {})
    const { organizationId } = h.tenant
    await verifyLongRange.run(jobContext(h.runtime, verifyLongRange.name), { organizationId, verificationId })
  },
  async 'audit.export'(h) {
    const { to } = await ask(h, '/v1/audit/verify', {})
    const { id: exportId } = await ask(h, '/v1/audit/exports', { from: Math.max(1, to - 300) })
    const { organizationId } = h.tenant
    await writeExport.run(jobContext(h.runtime, writeExport.name), { organizationId, exportId })
    await h.as(h.tenant.key).get(`/v1/audit/exports/${exportId}/content`)
  },
}

const ask = async (h: ExplainedHarness, url: string, body: object) =>
  (await h.as(h.tenant.key).post(url, body)).body.data

/** They delete by a block range index, which serves tables of more than a few pages. */
const ranged: Readonly<Record<string, true>> = { 'idempotency.forgetOld': true, 'webhooks.forgetOld': true }

/** Jobs that read all there is, on purpose. */
const thorough: Readonly<Record<string, string>> = {
  'stock.verify': 'compares all levels with all movements',
  'stock.mark': 'looks at all levels, so that no index has to follow each order',
}

async function runOperation(h: ExplainedHarness, sampler: Sampler, operation: Operation, mostValues: number) {
  const client = h.as(h.tenant.key)
  const sample = await sampler.example(operation)
  const send = async (url?: string) => {
    const answer = await client.send(requestOf(sample, url === undefined ? {} : { url }))
    if (answer.status >= 500) throw new Error(`${operation.id} ${url ?? ''}: ${answer.text}`)
    return answer
  }
  await send()
  if (operation.method !== 'GET') return
  const base = pathOf(operation, sample.params)
  for (const query of queriesFor(operation, mostValues)) {
    const { body } = await send(`${base}?${query}`)
    const cursor = body?.meta?.page?.nextCursor
    if (typeof cursor !== 'string') continue
    const next = await send(`${base}?${query}&after=${encodeURIComponent(cursor)}`)
    if (next.status !== 200) throw new Error(`${operation.id} ${query}: ${next.text}`)
    if (!parametersIn(operation, 'query').some(({ name }) => name === 'before')) continue
    await send(`${base}?${query}&before=${encodeURIComponent(next.body.meta.page.previousCursor)}`)
  }
}

/** Each filter alone, and each order. */
function queriesFor(operation: Operation, mostValues: number): readonly string[] {
  const known: Readonly<Record<string, string>> = { q: 'no 12', sku: 'S12', email: 'c30@x.example', source: 'source-3' }
  const parameters = parametersIn(operation, 'query').filter(({ name }) => name !== 'after' && name !== 'before')
  return parameters.flatMap(({ name, schema }) => {
    const declared = resolve(schema)
    const one = declared.items ? resolve(declared.items) : declared
    if (one.enum) return valuesOf(one.enum, mostValues).map((value) => `${name}=${encodeURIComponent(value)}`)
    if (one.type === 'integer') return name === 'limit' ? ['limit=100'] : [`${name}=1`]
    if (one.type === 'boolean') return [`${name}=true`]
    if (one.format === 'date-time') return [`${name}=2025-01-05T00:00:00.000Z`]
    return [`${name}=${encodeURIComponent(known[name] ?? 'nothing')}`]
  })
}

/** The type of every event that `manyRows` makes is always among them. */
function valuesOf(values: readonly unknown[], most: number): readonly string[] {
  const names = values.map(String)
  return [...new Set([...spread(names, most), ...names.filter((name) => name === 'order.placed')])]
}

function report(t: Test, told: readonly Told[], mistakesIn: (one: Told) => readonly string[]): void {
  const wrong = new Map<string, string>()
  for (const one of told) for (const mistake of mistakesIn(one)) wrong.set(oneLine(one.text), `${one.by} ${mistake}`)
  for (const [text, mistake] of wrong) t.fail(`${mistake}: ${text}`)
  const texts = new Set(told.map(({ text }) => text))
  t.comment(`| plans: ${texts.size} statements, run ${told.length} times`)
  t.ok(
    [...texts].some((text) => text.startsWith('SELECT 1 FROM ONLY "public"."orders"')),
    'foreign keys are looked at',
  )
}

const large = new Set<string>(filledTables)
const tableOf = (partition: string): string => partition.replace(/_(default|\d{4}_\d{2})$/, '')

function scansIn({ by, plan }: Told): readonly string[] {
  // Of partitions most are empty, and many are left out as the statement runs.
  const scans = planNodes(plan).filter((node) => node['Node Type'] === 'Seq Scan' && pagesOf(node) > mostScanned)
  const read = scans.map((node) => tableOf(node['Relation Name'] ?? '')).filter((name) => large.has(name))
  return by in ranged ? [] : read.map((name) => `reads all of ${name}`)
}

const isList = (operation: Operation): boolean =>
  parametersIn(operation, 'query').some(({ name }) => /^(limit|pageSize)$/.test(name))
const lists = new Set(operations.filter(isList).map(({ id }) => id))

function wasteIn({ by, text, plan }: Told): readonly string[] {
  if (searches.some((part) => oneLine(text).includes(part))) return []
  const removed = rowsRemoved(plan)
  const touched = pagesOf(plan)
  return [
    ...(removed > (by in ranged ? mostRemovedOfRanges : mostRemoved) ? [`throws away ${removed} rows`] : []),
    ...(touched > (lists.has(by) ? mostPagesOfLists : mostPages) ? [`touches ${touched} pages`] : []),
  ]
}

const oneLine = (text: string): string => text.replace(/\s+/g, ' ').trim().slice(0, 300)
