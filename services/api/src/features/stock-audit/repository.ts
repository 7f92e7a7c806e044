import { runSql } from '#platform/database.ts'
import type { Work } from '#platform/work.ts'

/** A level whose count, movements and reservations do not tell the same; null where there is no level. */
export interface Mismatch {
  readonly organization_id: string
  readonly sku: string
  readonly location_id: string
  readonly on_hand: number | null
  readonly reserved: number | null
  readonly backordered: number | null
  readonly moved_on_hand: number
  readonly moved_reserved: number
  readonly promised: number
  readonly waiting: number
}

/** Compares levels, movements and reservations of all organizations, in one statement and so at one moment. */
export const selectMismatches = (db: Work['db'], limit: number): Promise<Mismatch[]> =>
  runSql(db, mismatchText, [limit])

const mismatchText = `with moved as (
    select organization_id, sku, location_id, sum(on_hand_change) as on_hand, sum(reserved_change) as reserved
    from stock_movements group by organization_id, sku, location_id
  ), open as (
    select organization_id, sku, location_id, sum(quantity) filter (where state <> 'backordered') as promised,
      sum(quantity) filter (where state = 'backordered') as waiting
    from reservations where state in ('backordered', 'held', 'firm') group by organization_id, sku, location_id
  )
  select organization_id, sku, location_id, s.on_hand, s.reserved, s.backordered,
    coalesce(m.on_hand, 0) as moved_on_hand, coalesce(m.reserved, 0) as moved_reserved,
    coalesce(o.promised, 0) as promised, coalesce(o.waiting, 0) as waiting
  from stock_levels s
    full join moved m using (organization_id, sku, location_id)
    full join open o using (organization_id, sku, location_id)
  where s.on_hand is distinct from coalesce(m.on_hand, 0) or s.reserved is distinct from coalesce(m.reserved, 0)
    or s.reserved is distinct from coalesce(o.promised, 0) or s.backordered is distinct from coalesce(o.waiting, 0)
  order by organization_id, sku, location_id limit $1`
