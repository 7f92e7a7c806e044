import type pg from 'pg'
import type { Tenant } from './factories.ts'

/** Tables that `manyRows` fills. */
export const filledTables = [
  'products',
  'locations',
  'stock_levels',
  'stock_movements',
  'orders',
  'order_lines',
  'order_holds',
  'reservations',
  'ledger',
  'events',
  'ledger_checkpoints',
  'ledger_verifications',
  'ledger_exports',
  'ledger_export_chunks',
  'webhook_deliveries',
  'webhook_attempts',
  'idempotency_keys',
  'api_keys',
] as const

/** The one whose deliveries they are. */
export const filledEndpoint = `whe_${'1'.padStart(26, '0')}`

/**
 * A row of each table for each of 1 to `$3`; ids of digits sort below those that are made now. What is partitioned by
 * the time in its id is of this month.
 */
const texts = [
  `insert into products (organization_id, id, sku, title, status, stock_policy, prices, created_at, updated_at)
  select $1, 'prd' || digits, 'S' || n, 'Product no ' || n, 'active', 'deny', '{}', at, at from numbers`,
  `insert into locations (organization_id, id, name, is_default, created_at, updated_at)
  select $1, 'loc' || digits, 'Location ' || n, false, at, at from numbers`,
  `insert into stock_levels (organization_id, sku, location_id, on_hand, created_at, updated_at)
  select $1, 'S' || n, $2, 1, at, at from numbers`,
  `insert into stock_movements (organization_id, sku, location_id, id, type, on_hand_change, reserved_change, on_hand, reserved,
    order_id, actor, request_id, occurred_at)
  select $1, 'S' || n, $2, 'mov' || digits, case when n % 3 = 0 then 'receipt' else 'reserve' end, 1, 0, 1, 0, null, '{"type":"system","id":"fill"}', 'r', at from numbers`,
  `insert into orders (organization_id, id, number, status, source, external_id, location_id, payment_terms, currency,
    items_amount, discount_amount, shipping_amount, tax_amount, total_amount, customer, metadata, placed_at, version,
    created_at, updated_at)
  select $1, 'ord' || digits, to_char(at, 'YYYYMMDD') || '-' || lpad(n::text, 8, '0'),
    case when n % 1000 = 0 then 'pending' when n % 5 = 0 then 'cancelled' else 'confirmed' end,
    case when n % 3 = 0 then 'source-' || n % 10 end, case when n % 3 = 0 then 'E' || n end, $2, 'onAccount', 'GBP',
    1, 0, 0, 0, 1, case when n % 2 = 0 then jsonb_build_object('email', 'c' || n % 5000 || '@x.example') end, '{}', at, 2,
    at, at
  from numbers`,
  `insert into order_lines (organization_id, order_id, position, id, sku, title, tracked, quantity, unit_price_amount,
    discount_amount, tax_amount, total_amount, metadata)
  select $1, 'ord' || digits, 0, 'lin' || digits, 'S' || n, 'Product', true, 1, 1, 0, 0, 1, '{}' from numbers`,
  `insert into order_holds (organization_id, order_id, id, kind, blocks, created_at, released_at)
  select $1, 'ord' || digits, 'hld' || digits, 'manual', 'fulfill', at, at from numbers`,
  `insert into reservations (organization_id, id, order_id, sku, location_id, quantity, state, version, created_at, updated_at)
  select $1, 'rsv' || digits, 'ord' || digits, 'S' || n, $2, 1, 'firm', 1, at, at from numbers`,
  `insert into ledger (organization_id, id, type, occurred_at, actor, request_id, resource_type, resource_id,
    resource_version, changed, data)
  select $1, 'evt_' || of_month, 'order.placed', at, '{"type":"system","id":"fill","keyId":null}', 'r', 'order', 'ord' || digits, 1, '{}',
    (select data from ledger where organization_id = $1 and type = 'order.placed' limit 1) from numbers`,
  `insert into events (organization_id, sequence, id, type, resource_type, resource_id, actor_id, occurred_at, hash)
  select $1, (select sequence from event_heads where organization_id = $1) + n, 'evt_' || of_month, 'order.placed', 'order',
    'ord' || digits, 'fill', at, sha256(digits::bytea) from numbers`,
  `update event_heads set sequence = sequence + $3::int from (select from numbers limit 1) one where organization_id = $1`,
  `insert into ledger_checkpoints (organization_id, id, number, sequence, hash, key_id, jws, signed_at)
  select $1, 'cpt' || digits, 1000000 + n, n, sha256(digits::bytea), 'k', 'a.b.c', at from numbers`,
  `insert into ledger_verifications (organization_id, id, state, first_sequence, last_sequence, outcome, created_at, completed_at)
  select $1, 'vrf' || digits, 'completed', 1, n, '{}', at, at from numbers`,
  `insert into ledger_exports (organization_id, id, state, first_sequence, last_sequence, written_sequence, created_at,
    completed_at, expires_at)
  select $1, 'exp' || digits, 'completed', 1, n, n, at, at, now() + interval '1 day' from numbers`,
  `insert into ledger_export_chunks (organization_id, export_id, number, content)
  select $1, 'exp' || digits, 1, 'x' from numbers`,
  `insert into webhook_endpoints (organization_id, id, principal_id, url, types, created_at, updated_at)
  select $1, 'whe' || digits, 'usr_fill', 'https://hooks.shop.example/', '{stock.mismatch}', now(), now() from numbers where n = 1`,
  `insert into webhook_deliveries (organization_id, id, endpoint_id, event_id, event_type, sequence, resource_id, state,
    attempts, attempts_left, due_at, created_at, delivered_at)
  select $1, 'dlv_' || of_month, '${filledEndpoint}', 'evt_' || of_month, 'order.placed', n, 'ord' || digits, state,
    1, 0, now(), now(), case when state = 'delivered' then now() end
  from (select *, case when n % 1000 = 0 then 'dead' else 'delivered' end as state from numbers) made`,
  `insert into webhook_attempts (organization_id, id, delivery_id, endpoint_id, number, at, duration_ms, status)
  select $1, 'wat_' || of_month, 'dlv_' || of_month, '${filledEndpoint}', 1, now(), 5, 204 from numbers`,
  `insert into idempotency_keys (organization_id, principal_id, key, fingerprint, status, created_at)
  select $1, (select principal_id from api_keys where organization_id = $1 limit 1), 'key-' || n, 'f', 201, now() from numbers`,
  `insert into api_keys (organization_id, id, principal_id, name, mode, hint, secret_hash, scopes, created_at, updated_at)
  select $1, 'key' || digits, 'usr' || digits, 'Key', 'test', 'h', 'hash-' || n, '{}', at, at from numbers`,
]

const numbers = `with numbers as (
    select n, '_' || lpad(n::text, 26, '0') as digits, month || lpad(n::text, 16, '0') as of_month,
      timestamptz '2025-01-01' + n * interval '1 minute' as at
    from generate_series(1, $3::int) n,
      (select substr(time_id('evt', date_trunc('month', now())), 5, 10) as month offset 0) this
    where $2::text is not null
  )`

/** Gives the tenant `count` rows in every table that grows; statistics stay what they were. */
export async function manyRows(db: pg.Pool, { organizationId, locationId }: Tenant, count: number): Promise<void> {
  const client = await db.connect()
  // Foreign keys hold by the way the rows are made: checking a million of them takes longer than writing them.
  await client.query('set session_replication_role = replica')
  await client.query('set auto_explain.log_min_duration = -1')
  const { rows } = await client.query<{ definition: string }>(
    `select indexdef as definition from pg_indexes where indexname = 'products_grams'`,
  )
  await client.query('drop index products_grams')
  for (const text of texts) await client.query(`${numbers} ${text}`, [organizationId, locationId, count])
  await client.query(rows[0]?.definition ?? '')
  client.release(true)
}
