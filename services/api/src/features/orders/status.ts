import type { Scope } from '#platform/scopes.ts'

export const orderStatuses = [
  'draft',
  'pending',
  'confirmed',
  'processing',
  'completed',
  'cancelled',
  'expired',
  'rejected',
] as const
export type OrderStatus = (typeof orderStatuses)[number]

export const orderActions = ['place', 'confirm', 'update', 'cancel', 'cancelLine', 'addHold', 'releaseHold'] as const
export type OrderAction = (typeof orderActions)[number]

export const holdKinds = ['fraudReview', 'paymentInDoubt', 'stockShortfall', 'partnerAck', 'manual'] as const
export const heldSteps = ['confirm', 'capture', 'fulfill'] as const

/** What the rules ask of an order. */
export interface OrderFacts {
  readonly status: string
  readonly payment_terms: string
  readonly total_amount: number
  readonly holds: readonly { readonly kind: string; readonly blocks: string }[]
}

interface Rule {
  readonly from: readonly OrderStatus[]
  /** Null: the order stays in its status. */
  readonly to: OrderStatus | null
  /** What the caller must hold; null: nobody calls it. */
  readonly scope: Scope | null
  readonly guard?: (order: OrderFacts) => boolean
}

const open: readonly OrderStatus[] = ['draft', 'pending', 'confirmed', 'processing']

/** From where an action is possible, and where it leads. */
const rules: Readonly<Record<OrderAction | 'expire', Rule>> = {
  place: { from: ['draft'], to: 'pending', scope: 'orders:write' },
  confirm: {
    from: ['pending'],
    to: 'confirmed',
    scope: 'orders:write',
    guard: (order) => !isHeld(order, 'confirm') && owesNothingNow(order),
  },
  update: { from: open, to: null, scope: 'orders:write' },
  cancel: { from: ['draft', 'pending', 'confirmed'], to: 'cancelled', scope: 'orders:write' },
  cancelLine: { from: ['pending', 'confirmed', 'processing'], to: null, scope: 'orders:write' },
  addHold: { from: open, to: null, scope: 'orders:write' },
  releaseHold: {
    from: open,
    to: null,
    scope: 'orders:write',
    guard: ({ holds }) => holds.some(({ kind }) => kind === 'manual'),
  },
  expire: { from: ['pending'], to: 'expired', scope: null },
}

export const allowsTransition = (action: OrderAction | 'expire', status: string): boolean =>
  rules[action].from.includes(status as OrderStatus)

/** What the holder of these scopes may do now with this order. */
export const allowedActions = (order: OrderFacts, scopes: ReadonlySet<Scope>): OrderAction[] =>
  orderActions.filter((action) => {
    const { scope, guard } = rules[action]
    return allowsTransition(action, order.status) && scope !== null && scopes.has(scope) && (guard?.(order) ?? true)
  })

export const isHeld = ({ holds }: Pick<OrderFacts, 'holds'>, step: (typeof heldSteps)[number]): boolean =>
  holds.some(({ blocks }) => blocks === step)

/** An order on account is settled later; one that costs nothing is settled already. */
export const owesNothingNow = ({ payment_terms, total_amount }: Omit<OrderFacts, 'holds' | 'status'>): boolean =>
  payment_terms === 'onAccount' || total_amount === 0
