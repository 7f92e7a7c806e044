import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { test } from 'tap'
import { harness } from '../../services/api/src/test/harness.ts'
import { relay } from '../../services/api/src/test/relayed.ts'

const run = promisify(execFile)
const modules = fileURLToPath(new URL('../../node_modules', import.meta.url))
const compiler = join(modules, 'typescript/bin/tsc')
const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')

/** All snippets as the one program that they are. */
const program = [...readme.matchAll(/^```ts\n(.*?)^```/gms)].map(([, text]) => text).join('\n')

const compilerOptions = {
  target: 'es2024',
  module: 'nodenext',
  strict: true,
  skipLibCheck: true,
  noEmit: true,
  allowImportingTsExtensions: true,
  customConditions: ['purser-source'],
  types: ['node'],
}

test('every snippet of the README compiles and runs against the service', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'purser-readme-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  symlinkSync(modules, join(folder, 'node_modules'), 'dir')
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['readme.ts'] }))
  writeFileSync(join(folder, 'readme.ts'), program)

  const compiled = await run(process.execPath, [compiler, '-p', folder]).catch((error: { stdout: string }) => error)
  t.equal(compiled.stdout, '')

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
