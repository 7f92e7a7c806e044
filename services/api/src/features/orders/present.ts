import { money } from '#platform/money.ts'
import type { Scope } from '#platform/scopes.ts'
import { timestamp, timestampOrNull } from '#platform/wire.ts'
import type { DescribedAmount } from './pricing.ts'
import type { EntryRow, HoldRow, LineRow, OrderRow, OrderWithLines, SummaryRow } from './repository.ts'
import type { Order, OrderAmount, OrderHold, OrderSnapshot, OrderSummary, TimelineEntry } from './schemas.ts'
import { allowedActions } from './status.ts'

export const presentSummary = (row: SummaryRow): OrderSummary => ({
  id: row.id,
  number: row.number,
  status: row.status as OrderSummary['status'],
  paymentStatus: row.total_amount === 0 ? 'paid' : 'unpaid',
  fulfillmentStatus: 'unfulfilled',
  returnStatus: 'none',
  source: row.source,
  externalId: row.external_id,
  locationId: row.location_id,
  paymentTerms: row.payment_terms as OrderSummary['paymentTerms'],
  totals: {
    items: money(row.items_amount, row.currency),
    discount: money(row.discount_amount, row.currency),
    shipping: money(row.shipping_amount, row.currency),
    tax: money(row.tax_amount, row.currency),
    total: money(row.total_amount, row.currency),
  },
  placedAt: timestampOrNull(row.placed_at),
  confirmedAt: timestampOrNull(row.confirmed_at),
  expiresAt: timestampOrNull(row.expires_at),
  closedAt: timestampOrNull(row.closed_at),
  metadata: row.metadata as Record<string, string>,
  version: row.version,
  createdAt: timestamp(row.created_at),
  updatedAt: timestamp(row.updated_at),
})

/** The order as the ledger keeps it: nothing personal, nothing that depends on who asks. */
export const presentSnapshot = (row: OrderWithLines): OrderSnapshot => ({
  ...presentSummary(row),
  cancelReason: row.cancel_reason,
  holds: row.holds.map(presentHold),
  discounts: presentAmounts(row.discounts, row.currency),
  shipping: presentAmounts(row.shipping, row.currency),
  taxes: presentAmounts(row.taxes, row.currency),
  lines: row.lines.map((line) => presentLine(line, row.currency)),
})

export const presentOrder = (row: OrderWithLines, scopes: ReadonlySet<Scope>): Order => ({
  ...presentSnapshot(row),
  ...personalOf(row),
  allowedActions: allowedActions(row, scopes),
})

/** The personal fields of an order. */
export const personalOf = (
  row: OrderRow,
): Pick<Order, 'customer' | 'shippingAddress' | 'billingAddress' | 'notes'> => ({
  customer: row.customer as Order['customer'],
  shippingAddress: row.shipping_address as Order['shippingAddress'],
  billingAddress: row.billing_address as Order['billingAddress'],
  notes: row.notes,
})

const presentHold = (row: HoldRow): OrderHold => ({
  id: row.id,
  kind: row.kind as OrderHold['kind'],
  blocks: row.blocks as OrderHold['blocks'],
  reason: row.reason,
  createdAt: timestamp(row.created_at),
})

const presentAmounts = (stored: OrderRow['discounts'], currency: string): OrderAmount[] =>
  (stored as unknown as DescribedAmount[]).map(({ description, amount }) => ({
    description,
    amount: money(amount, currency),
  }))

const presentLine = (line: LineRow, currency: string): OrderSnapshot['lines'][number] => ({
  id: line.id,
  sku: line.sku,
  title: line.title,
  quantity: line.quantity,
  quantityCancelled: line.quantity_cancelled,
  quantityFulfilled: line.quantity_fulfilled,
  quantityBackordered: line.quantity_backordered,
  unitPrice: money(line.unit_price_amount, currency),
  discount: money(line.discount_amount, currency),
  tax: money(line.tax_amount, currency),
  total: money(line.total_amount, currency),
  metadata: line.metadata as Record<string, string>,
})

/** What entries lack that were written before orders had these fields. */
const laterFields = { discounts: [], shipping: [], taxes: [], holds: [] }

export const presentEntry = (row: EntryRow): TimelineEntry => {
  const { type, id } = row.actor as { type: string; id: string }
  return {
    id: row.id,
    type: row.type,
    occurredAt: timestamp(row.occurred_at),
    actor: { type, id },
    requestId: row.request_id,
    version: row.resource_version,
    changed: row.changed,
    order: { ...laterFields, ...(row.data as OrderSnapshot) },
  }
}
