import pg from 'pg'
import type { Test } from 'tap'
import { harness } from './harness.ts'

const colours = ['blue', 'red', 'green', 'white', 'black', 'pink', 'grey']
const things = ['mug', 'cup', 'plate', 'bowl', 'lamp', 'clock', 'frame', 'bunting', 'lantern', 'doily', 'spoon']

/** Products of the tenant, titles of three words and a number; the oldest thousand are the only ones with a `zinc`. */
async function fill(db: pg.Pool, organizationId: string, count: number): Promise<void> {
  await db.query('drop index products_grams')
  const text = `insert into products (organization_id, id, sku, title, status, stock_policy, prices, created_at, updated_at)
    select $1, 'prd_' || lpad(n::text, 26, '0'), 'S' || n,
      case when n <= 1000 then 'zinc ' else '' end || ($2::text[])[1 + n % $4] || ' ' || ($3::text[])[1 + n % $5] || ' no ' || n,
      'active', 'deny', '{}', now(), now()
    from generate_series(1, $6::int) n`
  await db.query(text, [organizationId, colours, things, colours.length, things.length, count])
  await db.query('create index products_grams on products using gin (product_grams(organization_id, title))')
  await db.query('vacuum analyze products')
}

/** Every plan that a search runs through, as the application's role in the tenant. */
async function plansOf(url: string, organizationId: string, q: string): Promise<string> {
  const client = new pg.Client({ connectionString: url })
  const plans: string[] = []
  client.on('notice', ({ message }) => plans.push(message ?? ''))
  await client.connect()
  await client.query(`load 'auto_explain'; set auto_explain.log_min_duration = 0; set auto_explain.log_nested_statements = on;
    set auto_explain.log_analyze = on; set auto_explain.log_timing = off`)
  await client.query('begin')
  await client.query(`select set_config('app.organization_id', $1, true), set_config('role', 'purser_app', true)`, [
    organizationId,
  ])
  await client.query('set local client_min_messages = log')
  await client.query(`select id from products where id in (select search_products($1, null, null, true, 21))`, [q])
  await client.query('rollback')
  await client.end()
  return plans.join('\n')
}

/** Searches stay fast and keep off sequential scans, with one product and with `count`. */
export async function searchStaysFast(t: Test, count: number, limitMs: number): Promise<void> {
  const { as, tenant, otherTenant, db, databaseUrl } = await harness(t)
  const stranger = await otherTenant()
  await stranger.stock([{ sku: 'ZINC', onHand: 1 }])
  const operator = as(tenant.key)
  const search = (q: string, more = '') => operator.get(`/v1/products?limit=20&q=${encodeURIComponent(q)}${more}`)
  await tenant.stock([{ sku: 'ONLY' }])
  t.same((await search('only')).body.data.length, 1)
  await fill(db, tenant.organizationId, count)
  for (const [q, most] of [
    ['mug', 20],
    ['MUG NO 1', 20],
    ['zinc', 20],
    ['nc r', 20],
    [`no ${count}`, 1],
    ['S777', 20],
    ['nothing like it', 0],
    ['q', 0],
    ['zq', 0],
  ] as const) {
    await search(q)
    const started = performance.now()
    const { body } = await search(q)
    const tookMs = performance.now() - started
    t.ok(body.data.length <= most && (most === 0 || body.data.length > 0), `${q}: ${body.data.length}`)
    t.ok(tookMs < limitMs, `${q}: ${tookMs.toFixed(1)} ms`)
    t.comment(`${q}: ${tookMs.toFixed(1)} ms`)
    const plans = await plansOf(databaseUrl, tenant.organizationId, q)
    t.match(plans, /Index/, `${q}: an index is used`)
    t.notMatch(plans, /Seq Scan on (public\.)?products/, `${q}: no sequential scan`)
  }
  const rare = await plansOf(databaseUrl, tenant.organizationId, 'zinc')
  t.match(rare, 'Bitmap Index Scan on products_grams')
  t.comment(rare)
  const first = await search('zinc')
  const second = await search('zinc', `&after=${first.body.meta.page.nextCursor}`)
  const back = await search('zinc', `&before=${second.body.meta.page.previousCursor}`)
  t.same(back.body.data, first.body.data, 'a page back shows the page before')
  t.ok(second.body.data[0].id < first.body.data.at(-1).id)
  const theirs = (await as(stranger.key).get('/v1/products?q=zinc')).body.data
  t.same(
    theirs.map(({ sku }: { sku: string }) => sku),
    ['ZINC'],
    'nothing of another tenant',
  )
}
