import { availableOf, lockLevels, startLevels } from '#features/inventory/index.ts'
import { type AppError, type FieldIssue, type Outcome, outcomeOf } from '#platform/problem.ts'
import type { Work } from '#platform/work.ts'
import { duplicateOf, mayWait, placeNew, readSaleTerms, readTaken } from './place-order.ts'
import { newOrder, type PlacementTerms, refuseForeignSource } from './placement.ts'
import { outOfStock } from './placing/out-of-stock.ts'
import { quantitiesBySku } from './placing/reserving.ts'
import type { OrderRefusal, PlacedOrders, PlaceOrder, PlaceOrders } from './placing-schemas.ts'
import { priceOrder } from './pricing.ts'
import type { ExternalOrder, OrderWithLines } from './repository.ts'

interface Candidate {
  readonly input: PlaceOrder
  readonly order: OrderWithLines
}

/**
 * Places what can be placed of a batch, in its order, and says of each other order why not. The stock is locked and
 * counted before the one placing statement, so that statement refuses nothing.
 */
export async function placeBatch(work: Work, { orders }: PlaceOrders, terms: PlacementTerms): Promise<PlacedOrders> {
  const [sale, taken] = await Promise.all([readSaleTerms(work, orders), readTaken(work, orders)])
  const priced = orders.map((input) =>
    outcomeOf((): Candidate => {
      refuseForeignSource(work.actor, input)
      return { input, order: newOrder(work, input, priceOrder(sale, work.actor, input), terms) }
    }),
  )
  const isPatient = mayWait(sale)
  const available = await lockStock(work, priced.flatMap(acceptedOf), isPatient)
  const outcomes = refuseSome(priced, taken, available)
  const accepted = outcomes.flatMap(acceptedOf)
  const placed = await placeNew(
    accepted.map(({ order }) => ({ work, order })),
    sale,
  )
  const placedById = new Map(placed.map((order) => [order.id, order]))
  const results = outcomes.map((outcome, index): PlacedOrders['results'][number] => {
    if ('problem' in outcome) return { status: 'refused', problem: refusalOf(outcome.problem, index) }
    const order = placedById.get(outcome.value.order.id)
    if (!order) throw new Error(`order ${outcome.value.order.id} was accepted and not placed`)
    return { status: 'placed', order }
  })
  return { results }
}

const acceptedOf = <T>(outcome: Outcome<T>): T[] => ('value' in outcome ? [outcome.value] : [])

/** Locks the levels these orders want and tells what is available of each; without end where orders may wait. */
async function lockStock(
  work: Work,
  candidates: readonly Candidate[],
  isPatient: (sku: string) => boolean,
): Promise<Map<string, number>> {
  const keys = candidates.flatMap(({ order }) =>
    [...quantitiesBySku(order).keys()].map((sku) => ({ sku, location_id: order.location_id })),
  )
  if (keys.length === 0) return new Map()
  const patient = keys.filter(({ sku }) => isPatient(sku))
  const [, levels] = await Promise.all([startLevels(work, patient), lockLevels(work, keys)])
  return new Map(
    levels.map(
      (level) => [levelOf(level), isPatient(level.sku) ? Number.POSITIVE_INFINITY : availableOf(level)] as const,
    ),
  )
}

const levelOf = ({ sku, location_id }: { readonly sku: string; readonly location_id: string }): string =>
  `${sku}@${location_id}`

/** First come, first served: each order that is accepted takes its external id and its stock from those after it. */
function refuseSome(
  priced: readonly Outcome<Candidate>[],
  existing: readonly ExternalOrder[],
  available: Map<string, number>,
): Outcome<Candidate>[] {
  const taken = new Map(existing.map((order) => [externalOf(order), order]))
  return priced.map((outcome) => {
    if ('problem' in outcome) return outcome
    const { input, order } = outcome.value
    const twin = order.source === null ? undefined : taken.get(externalOf(order))
    if (twin) return { problem: duplicateOf(twin) }
    const wanted = [...quantitiesBySku(order)].map(([sku, quantity]) => {
      const level = levelOf({ sku, location_id: order.location_id })
      return { sku, level, quantity, available: available.get(level) ?? 0 }
    })
    const short = wanted.filter((want) => want.available < want.quantity)
    if (short.length > 0) return { problem: outOfStock(input.lines, short) }
    for (const want of wanted) available.set(want.level, want.available - want.quantity)
    if (order.source !== null) taken.set(externalOf(order), order)
    return outcome
  })
}

const externalOf = ({ source, external_id }: ExternalOrder): string => `${source} ${external_id}`

/** What placing the order alone would have answered, with pointers into the batch. */
const refusalOf = ({ definition, details }: AppError, index: number): OrderRefusal => ({
  status: definition.status,
  code: definition.code,
  title: definition.title,
  detail: details.detail ?? definition.title,
  retryable: definition.retryable ?? false,
  errors: (details.errors ?? []).map((issue: FieldIssue) => ({
    field: `orders[${index}].${issue.field}`,
    pointer: `/orders/${index}${issue.pointer}`,
    code: issue.code,
    message: issue.message,
  })),
})
