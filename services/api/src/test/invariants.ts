import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import type pg from 'pg'
import type { Test } from 'tap'
import { document } from './contract-check.ts'

/** Levels, movements and reservations of every tenant tell the same story: nothing is lost, nothing is made up. */
export async function stockAddsUp(t: Test, db: pg.Pool): Promise<void> {
  const { rows } = await db.query(`
    with moved as (
      select organization_id, sku, location_id, sum(on_hand_change)::int as on_hand, sum(reserved_change)::int as reserved
      from stock_movements group by organization_id, sku, location_id
    ), promised as (
      select organization_id, sku, location_id,
        coalesce(sum(quantity) filter (where state <> 'backordered'), 0)::int as quantity,
        coalesce(sum(quantity) filter (where state = 'backordered'), 0)::int as waiting
      from reservations where state in ('backordered', 'held', 'firm') group by organization_id, sku, location_id
    )
    select sku, location_id, s.on_hand, s.reserved, m.on_hand as moved_on_hand, m.reserved as moved_reserved, p.quantity,
      s.backordered, p.waiting
    from stock_levels s
      full join moved m using (organization_id, sku, location_id)
      full join promised p using (organization_id, sku, location_id)
    where s.on_hand is distinct from coalesce(m.on_hand, 0) or s.reserved is distinct from coalesce(m.reserved, 0)
      or s.reserved is distinct from coalesce(p.quantity, 0)
      or s.backordered is distinct from coalesce(p.waiting, 0)`)
  t.same(rows, [], 'on hand = Σ movements; reserved = Σ movements = Σ open reservations')
}

/** Schema of the data of an entry, by the type of its resource. */
const schemaNames: Readonly<Record<string, string>> = {
  organization: 'Organization',
  apiKey: 'ApiKey',
  location: 'Location',
  product: 'Product',
  stockLevel: 'StockLevel',
  reservation: 'Reservation',
  order: 'OrderSnapshot',
}

const ajv = new Ajv2020({ strict: false, allErrors: true })
addFormats.default(ajv)
ajv.addSchema({ ...document, $id: 'contract' })
const validators = new Map(
  Object.entries(schemaNames).map(([type, name]) => [
    type,
    ajv.compile({ $ref: `contract#/components/schemas/${name}` }),
  ]),
)

/** Every version of every resource has one entry; each says who and why, and holds what the API would return. */
export async function ledgerAddsUp(t: Test, db: pg.Pool): Promise<void> {
  const gaps = await db.query(`
    with current as (
      select organization_id, 'order' as type, id, version from orders
      union all select organization_id, 'product', id, version from products
      union all select organization_id, 'apiKey', id, version from api_keys
      union all select organization_id, 'location', id, version from locations
      union all select id, 'organization', id, version from organizations
      union all select organization_id, 'reservation', id, version from reservations where order_id is null
      union all select organization_id, 'stockLevel', sku || '@' || location_id, version from stock_levels
    ), recorded as (
      select organization_id, resource_type as type, resource_id as id,
        array_agg(resource_version order by resource_version) as versions
      from ledger group by organization_id, resource_type, resource_id
    )
    select type, id, c.version, r.versions from current c full join recorded r using (organization_id, type, id)
    where r.versions is distinct from array(select generate_series(1, c.version))`)
  t.same(gaps.rows, [], 'versions without a gap, one entry each')
  const { rows } = await db.query('select *, personal is null as impersonal from ledger')
  const faults = rows.flatMap((row) => faultsOf(row).map((fault) => `${row.type} ${row.resource_id}: ${fault}`))
  t.same(faults, [], 'every entry is complete and valid')
}

function faultsOf(row: Readonly<Record<string, unknown>>): string[] {
  const data = row.data as Record<string, unknown>
  const actor = row.actor as Record<string, unknown>
  const validate = validators.get(String(row.resource_type))
  const actorIsKnown = actor.type === 'system' ? actor.keyId === null : /^key_/.test(String(actor.keyId))
  return [
    ...(validate?.(data) ? [] : [`data: ${ajv.errorsText(validate?.errors)}`]),
    ...(data.version === row.resource_version ? [] : ['data is of another version']),
    ...(actorIsKnown && typeof actor.id === 'string' ? [] : ['no actor']),
    ...(/^[A-Za-z0-9_-]+$/.test(String(row.request_id)) ? [] : ['no request id']),
    ...(row.impersonal === (row.personal_salt === null) ? [] : ['personal fields without a salt']),
  ]
}
