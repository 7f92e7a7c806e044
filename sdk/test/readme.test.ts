import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { test } from 'tap'
import { harness } from '../../services/api/src/test/harness.ts'
import { relay } from '../../services/api/src/test/relayed.ts'
import { readmeProgram } from './readme-program.ts'

const run = promisify(execFile)
const modules = fileURLToPath(new URL('../../node_modules', import.meta.url))

test('every snippet of the README runs against the service', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'purser-readme-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  symlinkSync(modules, join(folder, 'node_modules'), 'dir')
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  writeFileSync(join(folder, 'readme.ts'), readmeProgram)

  const h = await harness(t)
  const { app, as, tenant } = h
  await tenant.stock([{ sku: '85123A', onHand: 100 }])
  await as(tenant.key).post('/v1/orders', { paymentTerms: 'onAccount', lines: [{ sku: '85123A', quantity: 1 }] })
  await relay(h)
  const baseUrl = await app.http.listen({ host: '127.0.0.1', port: 0 })
  const webhookSecret = `whsec_${randomBytes(32).toString('base64')}`
  const env = {
    ...process.env,
    PURSER_API_KEY: tenant.key,
    PURSER_URL: baseUrl,
    PURSER_WEBHOOK_SECRET: webhookSecret,
  }
  const { stdout } = await run(process.execPath, ['--conditions=purser-source', 'readme.ts'], { cwd: folder, env })
  const lines = stdout.split('\n')
  t.match(lines[0], /^ord_\w{26} confirmed$/)
  t.ok(lines.includes('true'), 'the same key gives the same order')
  t.ok(lines.includes('received evt_1 order.placed'))
  t.match(stdout, /\nplaced \S+\nup to \d+\n/, 'an event of the stream')
  t.ok(lines.includes('answered 204'))
  t.ok(lines.includes("short of [ 'lines[0].quantity' ]"))
})
