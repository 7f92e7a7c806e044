import { existsSync } from 'node:fs'
import { createServer } from 'node:http'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { chromium, type Page } from 'playwright-core'
import { type Test, test } from 'tap'
import { listen } from './server.ts'

const paths = [
  process.env.CHROMIUM_PATH ?? '',
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
]
const executablePath = paths.find((path) => path !== '' && existsSync(path)) ?? ''
const skip = executablePath === '' && 'no Chromium here; CHROMIUM_PATH names one'

/** A page of the service's own origin that offers the SDK as `sdk`. */
async function openPage(t: Test): Promise<Page> {
  const resolveDir = fileURLToPath(new URL('../src', import.meta.url))
  const contents = ['index', 'webhooks', 'testing'].map((name) => `export * from './${name}.ts'`).join('\n')
  const { outputFiles } = await build({
    stdin: { contents, resolveDir, loader: 'ts' },
    bundle: true,
    format: 'iife',
    globalName: 'sdk',
    write: false,
  })
  const script = outputFiles[0]?.text ?? ''
  const server = createServer((request, response) => {
    const cookie = request.headers.cookie ?? null
    const json = (data: unknown) => response.end(JSON.stringify({ success: true, data, meta: { requestId: 'req_1' } }))
    if (request.url === '/sdk.js') response.setHeader('content-type', 'text/javascript').end(script)
    else if (request.url === '/v1/orders/moved') response.writeHead(307, { location: '/v1/orders/ord_1' }).end()
    else if (request.url?.startsWith('/v1/'))
      json({ id: 'ord_1', cookie, key: request.headers['idempotency-key'] ?? null })
    else
      response
        .writeHead(200, { 'content-type': 'text/html', 'set-cookie': 'session=s1' })
        .end('<script src="/sdk.js"></script>')
  })
  const baseUrl = await listen(t, server)
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] })
  t.teardown(() => browser.close())
  const page = await browser.newPage()
  await page.goto(baseUrl)
  return page
}

test('in a browser', { skip }, async (t) => {
  const page = await openPage(t)

  t.match(
    await page.evaluate(`new sdk.Purser({ auth: { type: 'cookie' } }).orders.get('ord_1')`),
    { id: 'ord_1', cookie: 'session=s1', key: null },
    'the session cookie goes to the own origin, the default address',
  )
  t.match(
    await page.evaluate(`new sdk.Purser({ auth: { type: 'cookie' } }).orders.cancel('ord_1')`),
    { key: /^[\x21-\x7e]{16,}$/ },
    'mutations have a key, also on plain http',
  )
  t.match(
    await page.evaluate(
      `new sdk.Purser({ auth: { type: 'cookie' } }).orders.get('moved').catch((error) => error.code)`,
    ),
    'REDIRECT_REFUSED',
    'a redirect is refused at once',
  )
  const construct = `try { new sdk.Purser({ apiKey: 'sk_test_1' }) } catch (error) { result = error.code }`
  t.equal(await page.evaluate(`(() => { let result; ${construct}; return result })()`), 'INVALID_CONFIGURATION')
  t.equal(
    await page.evaluate(`new Promise((resolve) => {
      const code = "let result; importScripts(location.origin + '/sdk.js');" + ${JSON.stringify(construct)} + "; postMessage(result)"
      const url = URL.createObjectURL(new Blob([code.replace('location.origin', JSON.stringify(location.origin))]))
      new Worker(url).onmessage = ({ data }) => resolve(data)
    })`),
    'INVALID_CONFIGURATION',
    'in a worker as well',
  )

  t.same(
    await page.evaluate(`(async () => {
      const secret = 'whsec_' + btoa('a secret for this test alone, no other')
      const delivery = await sdk.signWebhook({ id: 'evt_1' }, { secret })
      const reason = (changed) => sdk.verifyWebhook(changed, { secret }).catch((error) => error.reason)
      return [await reason(delivery), await reason({ ...delivery, body: '{}' })]
    })()`),
    [{ id: 'evt_1' }, 'noMatch'],
    'webhooks are verified as everywhere',
  )
})
