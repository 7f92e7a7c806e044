import type { Actor } from '#platform/actor.ts'
import { newId } from '#platform/id.ts'
import { timestampOrNull } from '#platform/wire.ts'
import type { Work } from '#platform/work.ts'
import type { PlaceOrder } from './placing-schemas.ts'
import { personalOf, presentSnapshot } from './present.ts'
import type { DescribedAmount, PricedLine, PricedOrder } from './pricing.ts'
import { SourceNotAllowed } from './problems.ts'
import type { OrderRow, OrderWithLines } from './repository.ts'
import { isHeld, owesNothingNow } from './status.ts'
import { lineTotal } from './totals.ts'

export interface PlacementTerms {
  /** How long a prepaid order keeps its stock without payment, in milliseconds. */
  readonly paymentWindowMs: number
}

/** An order to place, and the work of the request that asks for it. */
export interface Placing {
  readonly work: Work
  readonly input: PlaceOrder
}

/** A key that is bound to sources places orders of these alone. */
export function refuseForeignSource({ sources }: Actor, { source }: PlaceOrder): void {
  if (sources === null || (source !== undefined && sources.has(source))) return
  const errors = [{ field: 'source', pointer: '/source', code: 'SOURCE_NOT_ALLOWED', message: 'is not of this key' }]
  throw new SourceNotAllowed({ detail: `The key places orders of ${[...sources].join(', ')}`, errors })
}

/** The rows of an order that is placed now. */
export function newOrder(work: Work, input: PlaceOrder, priced: PricedOrder, terms: PlacementTerms): OrderWithLines {
  const id = newId('ord')
  const paymentTerms = input.paymentTerms ?? 'prepaid'
  const draft: OrderWithLines = {
    id,
    number: `${work.now.toISOString().slice(0, 10).replaceAll('-', '')}-${id.slice(-8).toUpperCase()}`,
    status: 'draft',
    source: input.source ?? null,
    external_id: input.externalId ?? null,
    location_id: priced.locationId,
    payment_terms: paymentTerms,
    currency: priced.currency,
    items_amount: priced.totals.items,
    discount_amount: priced.totals.discount,
    shipping_amount: priced.totals.shipping,
    tax_amount: priced.totals.tax,
    total_amount: priced.totals.total,
    discounts: stored(priced.discounts),
    shipping: stored(priced.shipping),
    taxes: stored(priced.taxes),
    customer: input.customer ?? null,
    shipping_address: input.shippingAddress ?? null,
    billing_address: input.billingAddress ?? null,
    notes: input.notes ?? null,
    metadata: input.metadata ?? {},
    cancel_reason: null,
    expires_at: null,
    placed_at: null,
    confirmed_at: null,
    closed_at: null,
    version: 1,
    created_at: work.now,
    updated_at: work.now,
    lines: priced.lines.map((line, position) => newLine(line, position, input.lines[position]?.metadata ?? {})),
    holds: [],
  }
  return input.draft ? draft : placed(work, { ...draft, version: 0 }, terms)
}

/** A draft as it becomes by placing: pending, and confirmed at once when it owes nothing and nothing holds it. */
export function placed(work: Work, draft: OrderWithLines, terms: PlacementTerms): OrderWithLines {
  const pending = { ...draft, status: 'pending', placed_at: work.now, updated_at: work.now, version: draft.version + 1 }
  if (!owesNothingNow(draft)) return { ...pending, expires_at: new Date(work.now.getTime() + terms.paymentWindowMs) }
  if (isHeld(draft, 'confirm')) return pending
  return { ...pending, status: 'confirmed', confirmed_at: work.now, version: pending.version + 1 }
}

const stored = (amounts: readonly DescribedAmount[]): OrderRow['discounts'] =>
  amounts as unknown as OrderRow['discounts']

const newLine = (line: PricedLine, position: number, metadata: Record<string, string>) => ({
  position,
  id: newId('lin'),
  sku: line.sku,
  title: line.title,
  tracked: line.tracked,
  quantity: line.quantity,
  quantity_cancelled: 0,
  quantity_fulfilled: 0,
  quantity_backordered: 0,
  unit_price_amount: line.unitPrice,
  discount_amount: line.discount,
  tax_amount: line.tax,
  total_amount: lineTotal(line),
  metadata,
})

/** Placing and confirming at once are two versions and two entries of the ledger; a draft is one of its own. */
export function recordPlacement(work: Work, order: OrderWithLines): void {
  const personal = personalOf(order)
  const hasPersonal = Object.values(personal).some((value) => value !== null)
  const withPersonal = hasPersonal ? { personal } : {}
  const isDraft = order.status === 'draft'
  const isConfirmed = order.status === 'confirmed'
  const version = order.version - (isConfirmed ? 1 : 0)
  const first = isConfirmed ? { ...order, status: 'pending', version, confirmed_at: null } : order
  const changed = version === 1 ? [] : ['status', 'placedAt', 'expiresAt']
  work.record({
    type: isDraft ? 'order.drafted' : 'order.placed',
    resource: { type: 'order', id: order.id, version },
    changed,
    data: presentSnapshot(first),
    ...withPersonal,
  })
  if (isConfirmed) recordConfirmation(work, order)
}

/** Of the order just placed. */
function recordConfirmation(work: Work, { id, version, status, confirmed_at }: OrderWithLines): void {
  const data = { status, confirmedAt: timestampOrNull(confirmed_at), version }
  const changed = ['status', 'confirmedAt']
  work.record({ type: 'order.confirmed', resource: { type: 'order', id, version }, changed, data, continues: true })
}
