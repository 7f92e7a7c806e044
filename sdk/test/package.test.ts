import { execFile } from 'node:child_process'
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { test } from 'tap'
import { forwardsEvents, refusesToForward } from './listening.ts'
import { readmeProgram } from './readme-program.ts'
import { ok, serve } from './server.ts'
import { typeCheck } from './type-check.ts'

// Runs in a process of its own: it takes as long as a group.

const run = promisify(execFile)
const sdk = fileURLToPath(new URL('..', import.meta.url))
const modules = fileURLToPath(new URL('../../node_modules', import.meta.url))
const env = { ...process.env, NODE_OPTIONS: '', PATH: `${join(modules, '.bin')}${delimiter}${process.env.PATH}` }

const clientBudgetBytes = 8 * 1_024
const webhooksBudgetBytes = 1.5 * 1_024
const installBudgetBytes = 700 * 1_024

const order = ok({ id: 'ord_1', version: 1 })
const workspace = mkdtempSync(join(tmpdir(), 'purser-sdk-'))

// Packing changes package.json for a moment, so it happens in a copy.
async function pack(): Promise<string> {
  const copy = join(workspace, 'source')
  cpSync(sdk, copy, { recursive: true, filter: (path) => !/node_modules|dist|\.tgz$/.test(path.slice(sdk.length)) })
  symlinkSync(modules, join(copy, 'node_modules'), 'dir')
  await run('npm', ['pack', '--pack-destination', workspace], { cwd: copy, env })
  return join(workspace, readdirSync(workspace).find((name) => name.endsWith('.tgz')) ?? '')
}

/** An empty project with the packed SDK installed. */
async function project(tarball: string, files: Readonly<Record<string, string>>): Promise<string> {
  const folder = join(workspace, 'project')
  mkdirSync(folder)
  const manifest = { name: 'project', private: true, version: '1.0.0', type: 'module' }
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest))
  for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, file), text)
  await run('npm', ['install', '--offline', '--no-audit', '--no-fund', tarball], { cwd: folder, env })
  return folder
}

const program = `import { Purser, ApiError } from '@purser/sdk'

const purser = Purser.fromEnv()
const order = await purser.orders.place({ paymentTerms: 'onAccount', lines: [{ sku: '85123A', quantity: 6 }] })
console.log(order.id, ApiError.is(new Error()))
`

const requiringProgram = `const { Purser } = require('@purser/sdk')

Purser.fromEnv().orders.get('ord_1').then((order) => console.log(order.id))
`

const typedProgram = `import { ApiError, type Order, type OrderSummary, Purser, PurserError, type Result } from '@purser/sdk'
import { signWebhook } from '@purser/sdk/testing'
import { verifyWebhook, WebhookSignatureError } from '@purser/sdk/webhooks'

const purser = new Purser({ apiKey: 'sk_test_1', baseUrl: 'http://127.0.0.1:3000' })
export const order: Promise<Order> = purser.orders.get('ord_1', {}, { signal: AbortSignal.timeout(1_000) })
export const result: Promise<Result<Order>> = purser.orders.get('ord_1').safe()
export const orders: Promise<OrderSummary[]> = purser.orders.list({ limit: 2 }).toArray({ limit: 10 })
export function isShort(error: unknown): boolean {
  return ApiError.is(error, 'OUT_OF_STOCK') && error.issues.length > 0
}
export async function receive(request: Request): Promise<string> {
  const event = await verifyWebhook(request, { secret: ['whsec_1', undefined], toleranceMs: 60_000 })
  const { body, headers } = await signWebhook(event, { secret: 'whsec_1' })
  await verifyWebhook({ body: new TextEncoder().encode(body), headers }, { secret: 'whsec_1' })
  return event.type === 'order.placed' ? event.data.number : event.type
}
export function isForged(error: unknown): boolean {
  return PurserError.is(error) && WebhookSignatureError.is(error) && error.reason === 'noMatch'
}
// @ts-expect-error a secret is needed
verifyWebhook({ body: '', headers: {} }, {})
// @ts-expect-error an order has lines
purser.orders.place({})
// @ts-expect-error options come third
purser.orders.get('ord_1', { signal: AbortSignal.timeout(1) })
// @ts-expect-error there is no such code
ApiError.is(undefined, 'OUT_OF_STOKC')
`

const compilerOptions = { target: 'es2022', strict: true, noEmit: true, exactOptionalPropertyTypes: true }

function bytesIn(folder: string): number {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => statSync(join(folder, name)))
    .reduce((sum, stat) => sum + (stat.isFile() ? stat.size : 0), 0)
}

test('the packed SDK', { timeout: 110_000 }, async (t) => {
  t.teardown(() => rmSync(workspace, { recursive: true, force: true }))
  const tarball = await pack()
  const folder = await project(tarball, {
    'program.js': program,
    'program.cjs': requiringProgram,
    'program.ts': typedProgram,
    'readme.ts': readmeProgram,
  })
  const installed = join(folder, 'node_modules/@purser/sdk')

  await t.test('runs a first program from an empty project', async (t) => {
    const { baseUrl, requests } = await serve(t, [order])
    const variables = { ...env, PURSER_API_KEY: 'sk_test_1', PURSER_BASE_URL: baseUrl }
    const { stdout } = await run(process.execPath, ['program.js'], { cwd: folder, env: variables })
    t.equal(stdout, 'ord_1 false\n')
    t.match(requests, [{ method: 'POST', url: '/v1/orders' }])
  })

  await t.test('is required by CommonJS', async (t) => {
    const { baseUrl } = await serve(t, [order])
    const variables = { ...env, PURSER_API_KEY: 'sk_test_1', PURSER_BASE_URL: baseUrl }
    const { stdout } = await run(process.execPath, ['program.cjs'], { cwd: folder, env: variables })
    t.equal(stdout, 'ord_1\n')
  })

  await t.test('brings the verifier of exports as a command', async (t) => {
    const vectors = JSON.parse(readFileSync(join(sdk, 'test/ledger-vectors.json'), 'utf8'))
    writeFileSync(join(folder, 'export.jsonl'), vectors.export.join('\n'))
    writeFileSync(join(folder, 'jwks.json'), JSON.stringify(vectors.checkpoint.jwks))
    const command = join(folder, 'node_modules/.bin/purser-verify')
    const { stdout } = await run(command, ['export.jsonl', '--public-key', 'jwks.json'], { cwd: folder, env })
    t.match(stdout, /^verified 3 events from 1 to 3, head /)
  })

  await t.test('brings a command that forwards events as signed webhooks', (t) => forwardsEvents(t, folder, env))

  await t.test('whose refusals are one line', (t) => refusesToForward(t, folder, env))

  await t.test(
    'type-checks with its declarations, whatever the module resolution, and so does its README',
    async (t) => {
      const node = { lib: ['es2022'], types: ['node'], typeRoots: [join(modules, '@types')] }
      const consumers = [
        { files: ['program.ts'], options: { module: 'nodenext' } },
        { files: ['program.ts'], options: { module: 'esnext', moduleResolution: 'bundler' } },
        { files: ['program.ts', 'readme.ts'], options: { module: 'nodenext', ...node } },
      ].map(({ files, options }) => ({ folder, files, options: { ...compilerOptions, ...options } }))
      t.strictSame(typeCheck(consumers), ['', '', ''])
    },
  )

  await t.test('is published the way resolvers expect', async (t) => {
    await t.resolves(run('publint', ['run', tarball, '--strict'], { cwd: workspace, env }), 'publint')
    await t.resolves(run('attw', [tarball, '--profile', 'esm-only'], { cwd: workspace, env }), 'attw')
  })

  await t.test('holds what a consumer needs and nothing else', async (t) => {
    const manifest = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'))
    t.notMatch(JSON.stringify(manifest.exports), 'purser-source')
    t.equal(manifest.dependencies, undefined)
    t.strictSame(
      Object.keys(manifest.scripts).filter((name) => /install/.test(name)),
      [],
    )
    t.strictSame(readdirSync(installed).sort(), ['LICENSE', 'README.md', 'dist', 'package.json'])
    const size = bytesIn(installed)
    t.ok(size <= installBudgetBytes, `${size} of ${installBudgetBytes} bytes installed`)
  })

  await t.test('stays small in a bundle', async (t) => {
    const size = await bundle(installed, "export { Purser } from './dist/index.js'")
    t.ok(size <= clientBudgetBytes, `${size} of ${clientBudgetBytes} bytes, minified and compressed`)
    const errors = await bundle(installed, "export { ApiError } from './dist/index.js'")
    t.ok(errors < size / 3, `${errors} bytes without the client: what is not imported is left out`)
    const webhooks = await bundle(installed, "export * from './dist/webhooks.js'")
    t.ok(webhooks <= webhooksBudgetBytes, `${webhooks} of ${webhooksBudgetBytes} bytes for /webhooks`)
  })

  await t.test('loads fast', async (t) => {
    const text = "const from = performance.now(); await import('@purser/sdk'); console.log(performance.now() - from)"
    const times: number[] = []
    for (let round = 0; round < 5; round++) {
      const { stdout } = await run(process.execPath, ['--input-type=module', '-e', text], { cwd: folder, env })
      times.push(Number(stdout))
    }
    t.comment(`cold import: ${Math.min(...times).toFixed(1)} ms at best`)
    t.ok(Math.min(...times) < 100, 'the goal is 15 ms on a quiet machine')
  })
})

async function bundle(resolveDir: string, contents: string): Promise<number> {
  const options = { bundle: true, minify: true, format: 'esm', target: 'es2022', write: false } as const
  const { outputFiles } = await build({ stdin: { contents, resolveDir }, ...options })
  return gzipSync(outputFiles[0]?.contents ?? '', { level: 9 }).length
}
