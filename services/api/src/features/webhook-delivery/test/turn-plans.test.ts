import t, { type Test } from 'tap'
import { type Explained, type ExplainedHarness, explainedHarness, pagesOf, rowsRemoved } from '#test/explained.ts'
import { filledEndpoint, filledTables, manyRows } from '#test/many-rows.ts'
import { receiver } from '#test/receiver.ts'
import { until } from '#test/until.ts'
import { addEndpoint, placing, reachable, sending, type TestEndpoint } from '#test/webhook-endpoints.ts'

/** Waiting for each of three endpoints, the last of which is failing. */
const backlog = 10_000
const mostPages = 600
const mostRemoved = 200

/** Has so much wait as if the receivers had been away for long. */
async function fill(h: ExplainedHarness, endpoints: readonly TestEndpoint[]): Promise<void> {
  const client = await h.db.connect()
  await client.query('set session_replication_role = replica; set auto_explain.log_min_duration = -1')
  for (const { id } of endpoints)
    await client.query(
      `insert into webhook_deliveries (organization_id, id, endpoint_id, event_id, event_type, sequence, resource_id, state,
        due_at, created_at)
      select organization_id, 'dlv_' || right($1, 16) || right(id, 10), $1, event_id, event_type, sequence,
        'ord_' || sequence % 1000, 'pending', now() - interval '1 hour', now() - interval '1 hour'
      from webhook_deliveries where endpoint_id = $2`,
      [id, filledEndpoint],
    )
  client.release(true)
  const [failing] = endpoints.slice(-1)
  await h.db.query(
    `update webhook_endpoints set state = 'failing', failing_since = now(), next_probe_at = now() where id = $1`,
    [failing?.id],
  )
}

function wasteIn({ text, plan }: Explained): readonly string[] {
  const [pages, removed] = [pagesOf(plan), rowsRemoved(plan)]
  return [
    ...(pages > mostPages ? [`touches ${pages} pages: ${text}`] : []),
    ...(removed > mostRemoved ? [`throws away ${removed} rows: ${text}`] : []),
  ]
}

async function turnsReadWhatTheyTake(t: Test, whenAnalyzed: 'never' | 'before' | 'after'): Promise<void> {
  const h = await explainedHarness(t, { ...reachable, DB_STATEMENT_TIMEOUT_MS: '60000' })
  const target = await receiver(t)
  const place = await placing(h)
  const [any, ordered] = [
    await addEndpoint(h, target.url),
    await addEndpoint(h, target.url, { ordering: 'perResource' }),
  ]
  const failing = await addEndpoint(h, target.url)
  const analyze = () => h.db.query(`vacuum analyze ${filledTables.join(', ')}`)
  await place(1)
  await manyRows(h.db, h.tenant, backlog)
  if (whenAnalyzed === 'before') await analyze()
  await fill(h, [any, ordered, failing])
  if (whenAnalyzed === 'after') await analyze()
  h.take()
  const sender = sending(t, h.runtime)
  await until('some have arrived', () => target.received.length >= 300, 30_000)
  await sender.stop()
  const told = h.take()
  t.same(told.flatMap(wasteIn), [], `${told.length} statements`)
  const { rows } = await h.db.query('select state from webhook_endpoints where id = $1', [failing.id])
  t.same(rows, [{ state: 'active' }], 'the one that was failing was probed and has recovered')
}

for (const when of ['never', 'before', 'after'] as const)
  t.test(`a turn of the sender reads what it takes; tables analyzed ${when} much came to wait`, (t) =>
    turnsReadWhatTheyTake(t, when),
  )
