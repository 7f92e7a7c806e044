import { mkdir } from 'node:fs/promises'
import type { Test } from 'tap'
import { browserInstalled, openPage } from './browser.ts'
import { harness } from './harness.ts'

const screenshots = new URL('../../../../.tap/screenshots/', import.meta.url)

/** What the Swagger UI is given in place of the whole document. */
export type Excerpt = (document: OpenApiDocument) => OpenApiDocument

interface OpenApiDocument {
  readonly paths: Readonly<Record<string, unknown>>
  readonly components: Readonly<Record<string, Readonly<Record<string, unknown>>>>
}

/** Clicks as a newcomer does; the page shows what it did in a screenshot. */
export async function placeInSwaggerUi(t: Test, excerpt?: Excerpt): Promise<void> {
  if (!browserInstalled) return void t.comment('no Chromium here: install it to run this test')
  const { app, tenant, db } = await harness(t)
  await tenant.stock([{ sku: '85123A', price: 255, onHand: 100 }])
  await app.http.listen({ host: '127.0.0.1', port: 0 })
  const page = await openPage(t)
  const complaints: string[] = []
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()))
  page.on('pageerror', (error) => complaints.push(error.message))
  if (excerpt !== undefined)
    await page.route('**/docs/json', async (route) => {
      const response = await route.fetch()
      await route.fulfill({ response, json: excerpt(await response.json()) })
    })

  await page.goto(`${app.http.kernel.baseUrl()}/docs`)
  await page.getByRole('button', { name: 'Authorize' }).first().click()
  await page.locator('.auth-container input').fill(tenant.key)
  await page.locator('.auth-container button[type=submit]').click()
  await page.getByRole('button', { name: 'Close' }).click()

  const operation = page.locator('.opblock-post').filter({ hasText: 'Place an order' })
  await operation.locator('.opblock-summary-control').click()
  await operation.getByRole('button', { name: 'Try it out' }).click()
  for (let placed = 1; placed <= 3; placed++) {
    const answered = page.waitForResponse((response) => response.url().endsWith('/v1/orders'))
    await operation.getByRole('button', { name: 'Execute' }).click()
    const response = await answered
    t.equal(response.status(), 201, `Execute ${placed}`)
    t.notOk(response.headers()['idempotency-replayed'], 'a new order each time')
  }
  await operation.locator('.live-responses-table .response-col_status').first().waitFor()
  await mkdir(screenshots, { recursive: true })
  await operation.screenshot({ path: new URL('swagger-ui.png', screenshots).pathname })
  t.same(complaints, [], 'no script error and no violation of the content security policy')
  t.equal((await db.query('select from orders')).rowCount, 3)
}

/** The operations of one path, with the components that they refer to. */
export const onlyPath =
  (path: string): Excerpt =>
  (document) => {
    const paths = { [path]: document.paths[path] }
    const components: Record<string, Record<string, unknown>> = {
      securitySchemes: { ...document.components.securitySchemes },
    }
    const add = (part: unknown): void => {
      for (const [, kind = '', name = ''] of JSON.stringify(part).matchAll(/"#\/components\/(\w+)\/([^"/]+)"/g)) {
        const found = document.components[kind]?.[name]
        components[kind] ??= {}
        if (components[kind][name] !== undefined || found === undefined) continue
        components[kind][name] = found
        add(found)
      }
    }
    add(paths)
    return { ...document, paths, components }
  }
