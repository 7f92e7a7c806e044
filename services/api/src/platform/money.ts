/** An amount in integer minor units (cents, pence) of an ISO 4217 currency. */
export interface Money {
  readonly amount: number
  readonly currency: string
}

export const money = (amount: number, currency: string): Money => ({ amount, currency })
