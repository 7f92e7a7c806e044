import { readFile, rename, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { fillBackorders } from '#features/backorders/index.ts'
import { upsertProductBatch } from '#features/catalog/index.ts'
import { createApiKey, createOrganization } from '#features/identity/index.ts'
import { createLocation, selectLocation, setStockLevels } from '#features/inventory/index.ts'
import type { Config } from '#platform/config.ts'
import { newId } from '#platform/id.ts'
import { scopes } from '#platform/scopes.ts'
import { systemOrigin, type Work } from '#platform/work.ts'
import { createRuntime } from '../runtime.ts'
import type { Demo } from './banner.ts'
import { demoCatalog } from './demo/catalog.ts'
import { readInvoices } from './demo/invoices.ts'

/** The same in every database, so that a lost demo.json only costs a new key. */
const organizationId = 'org_01jd0000000000000000000000'
const unitsInStock = 1_000_000
const requestsPerMinute = 60_000

/** The demo organization without the address of a server. */
export type DemoAccess = Omit<Demo, 'url'>

/**
 * Creates the demo organization, its catalog and a key, as far as they are missing; all of it or nothing.
 * `remember` is called with what demo.json must hold before anything is committed.
 */
export async function seedDemo(config: Config, known: DemoAccess | undefined, remember: Remember): Promise<DemoAccess> {
  const { unitOfWork, apiKeys, database, log } = createRuntime(
    { ...config, LOG_LEVEL: 'silent' },
    { process: 'worker' },
  )
  const origin = systemOrigin({ organizationId, name: 'demo', requestId: newId('req'), traceparent: null, log })
  try {
    const location = await unitOfWork.read(origin, (view) => selectLocation(view, null))
    if (known !== undefined && location?.id === known.locationId) {
      const found = await apiKeys.find(known.apiKey, '127.0.0.1')
      if (found?.actor.organizationId === organizationId) return known
    }
    const products = location === undefined ? demoCatalog(await readInvoices()) : []
    return await unitOfWork.write(origin, async (work) => {
      const locationId = location?.id ?? (await fillOrganization(work, products))
      const access = { apiKey: await newKey(work), organizationId, locationId }
      await remember(access)
      return access
    })
  } finally {
    await database.close()
  }
}

type Remember = (access: DemoAccess) => Promise<void>

/** What demo.json says; `undefined` when it is missing or unreadable. */
export async function readDemoFile(dataFolder: string): Promise<DemoAccess | undefined> {
  try {
    const { apiKey, organizationId, locationId } = JSON.parse(await readFile(fileIn(dataFolder), 'utf8')) as Demo
    return { apiKey, organizationId, locationId }
  } catch {
    return undefined
  }
}

/** Keeps the demo's key where a program finds it; readable for its owner only. */
export async function writeDemoFile(dataFolder: string, demo: Demo): Promise<void> {
  const file = fileIn(dataFolder)
  await writeFile(`${file}.new`, `${JSON.stringify(demo, null, 2)}\n`, { mode: 0o600 })
  await rename(`${file}.new`, file)
}

const fileIn = (dataFolder: string): string => path.join(dataFolder, 'demo.json')

async function fillOrganization(work: Work, products: ReturnType<typeof demoCatalog>): Promise<string> {
  await createOrganization(work, { name: 'Demo', currency: 'GBP' })
  const location = await createLocation(work, { name: 'Main warehouse', isDefault: true })
  await upsertProductBatch(work, {
    products: products.map(({ price, ...product }) => ({ ...product, prices: [{ amount: price, currency: 'GBP' }] })),
  })
  const tracked = products.filter(({ stockPolicy }) => stockPolicy === 'deny')
  const levels = tracked.map(({ sku }) => ({ sku, locationId: location.id, onHand: unitsInStock }))
  await setStockLevels(work, { levels, reason: 'demo' }, fillBackorders)
  return location.id
}

async function newKey(work: Work): Promise<string> {
  const rateLimitPerMinute = requestsPerMinute
  const key = await createApiKey(work, { name: 'Demo', mode: 'test', scopes: [...scopes], rateLimitPerMinute })
  return key.secret
}
