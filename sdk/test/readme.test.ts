import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { test } from 'tap'
import { ok, problem, type Received, serve } from './server.ts'

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

const order = { id: 'ord_1', version: 1, status: 'confirmed' }
const lastPage = { nextCursor: null, previousCursor: null, hasMore: false }

function answer({ method, url, body }: Received) {
  if (method === 'GET' && url.startsWith('/v1/orders?')) return ok([order], lastPage)
  if (method === 'GET' && url === '/v1/orders') return ok([order], lastPage)
  if (body.includes('1000000')) return problem(409, 'OUT_OF_STOCK', { errors: [{ field: 'lines[0].quantity' }] })
  return ok(order)
}

test('every snippet of the README compiles and runs', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'purser-readme-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  symlinkSync(modules, join(folder, 'node_modules'), 'dir')
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['readme.ts'] }))
  writeFileSync(join(folder, 'readme.ts'), program)

  const compiled = await run(process.execPath, [compiler, '-p', folder]).catch((error: { stdout: string }) => error)
  t.equal(compiled.stdout, '')

  const { baseUrl } = await serve(t, answer)
  const env = { ...process.env, PURSER_API_KEY: 'sk_test_1', PURSER_BASE_URL: baseUrl }
  const { stdout } = await run(process.execPath, ['--conditions=purser-source', 'readme.ts'], { cwd: folder, env })
  const lines = stdout.split('\n')
  t.equal(lines[0], 'ord_1 confirmed')
  t.ok(lines.includes('true'), 'the same key gives the same order')
  t.ok(lines.some((line) => line.startsWith("short of [ 'lines[0].quantity' ]")))
})
