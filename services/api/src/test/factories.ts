import { fillBackorders } from '#features/backorders/index.ts'
import { upsertProductBatch } from '#features/catalog/index.ts'
import { createApiKey, createOrganization } from '#features/identity/index.ts'
import { createLocation, setStockLevels } from '#features/inventory/index.ts'
import { newId } from '#platform/id.ts'
import { type Scope, scopes } from '#platform/scopes.ts'
import { systemOrigin } from '#platform/work.ts'
import type { Runtime } from '../runtime.ts'

export interface Tenant {
  readonly organizationId: string
  readonly locationId: string
  /** The secret of a key with every scope. */
  readonly key: string
  readonly keyId: string
  /** The secret of a key with just these scopes. */
  keyWith(granted: readonly Scope[]): Promise<string>
  /** Creates products, 10.00 GBP each unless told otherwise, with this many on hand at the default location. */
  stock(products: readonly StockedProduct[]): Promise<void>
}

export interface StockedProduct {
  readonly sku: string
  readonly price?: number
  readonly onHand?: number
  readonly stockPolicy?: 'deny' | 'backorder' | 'untracked'
}

/** An organization in GBP with a default location and a key. */
export async function createTenant(runtime: Runtime): Promise<Tenant> {
  const organizationId = newId('org')
  const origin = systemOrigin({
    organizationId,
    name: 'test',
    requestId: 'req_test',
    traceparent: null,
    log: runtime.log,
  })
  const { write } = runtime.unitOfWork
  const { locationId, key } = await write(origin, async (work) => {
    await createOrganization(work, { name: 'Test', currency: 'GBP' })
    const location = await createLocation(work, { name: 'Main' })
    return {
      locationId: location.id,
      key: await createApiKey(work, { name: 'all', mode: 'test', scopes: [...scopes] }),
    }
  })
  return {
    organizationId,
    locationId,
    key: key.secret,
    keyId: key.id,
    async keyWith(granted) {
      const created = await write(origin, (work) =>
        createApiKey(work, { name: 'some', mode: 'test', scopes: [...granted] }),
      )
      return created.secret
    },
    async stock(products) {
      await write(origin, async (work) => {
        await upsertProductBatch(work, {
          products: products.map(({ sku, price = 1_000, stockPolicy = 'deny' }) => ({
            sku,
            title: `Product ${sku}`,
            prices: [{ amount: price, currency: 'GBP' }],
            stockPolicy,
          })),
        })
        const levels = products.flatMap(({ sku, onHand }) =>
          onHand === undefined ? [] : [{ sku, locationId, onHand }],
        )
        if (levels.length > 0) await setStockLevels(work, { levels }, fillBackorders)
      })
    },
  }
}
