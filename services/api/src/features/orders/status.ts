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

export const orderActions = ['cancel'] as const
export type OrderAction = (typeof orderActions)[number]

/** Which status an action leads to, from where, and what the caller must hold. */
const transitions: Readonly<
  Record<OrderAction | 'expire', { from: readonly OrderStatus[]; to: OrderStatus; scope: Scope | null }>
> = {
  cancel: { from: ['pending', 'confirmed'], to: 'cancelled', scope: 'orders:write' },
  expire: { from: ['pending'], to: 'expired', scope: null },
}

export const allowsTransition = (action: OrderAction | 'expire', status: OrderStatus): boolean =>
  transitions[action].from.includes(status)

/** What the holder of these scopes may do now with an order in this status. */
export const allowedActions = (status: OrderStatus, scopes: ReadonlySet<Scope>): OrderAction[] =>
  orderActions.filter((action) => {
    const { scope } = transitions[action]
    return allowsTransition(action, status) && (scope === null || scopes.has(scope))
  })

/** An order that owes nothing before delivery is confirmed as it is placed. */
export const confirmsAtOnce = (paymentTerms: string, total: number): boolean =>
  paymentTerms === 'onAccount' || total === 0
