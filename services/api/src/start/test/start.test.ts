import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import type { Demo } from '../banner.ts'
import { findProcess } from '../process-table.ts'

// Runs in a process of its own: it takes as long as a group.

const folder = await dataFolder(t)
const program = fileURLToPath(new URL('../../start.ts', import.meta.url))

t.test(
  'one command brings up a running order service that outlives the death of its parts, and again with the same key',
  async (t) => {
    const first = await start(t, folder)
    t.match(first.output(), /API key {2}sk_test_\w{46} /)
    t.ok(first.output().split('\n').length < 20, 'the banner is short')
    const demo = await demoOf(folder)
    t.equal((await stat(path.join(folder, 'demo.json'))).mode & 0o777, 0o600)
    t.match(demo, {
      url: /^http:\/\/127\.0\.0\.1:\d+$/,
      apiKey: /^sk_test_/,
      organizationId: /^org_/,
      locationId: /^loc_/,
    })

    const order = orderOf(first.output())
    t.match(await place(order), { status: 201, replayed: null })
    t.match(await place(order), { status: 201, replayed: 'true' })
    const stock = await get(demo, `/v1/stock?sku=85123A`)
    t.match(stock, [{ sku: '85123A', onHand: 1_000_000, reserved: 6 }])

    await first.stop('SIGINT')
    const second = await start(t, folder)
    const { url, ...same } = await demoOf(folder)
    t.match(demo, same, 'the second start prints the same key')
    const another = orderOf(second.output())
    t.not(another.headers['Idempotency-Key'], order.headers['Idempotency-Key'])
    t.match(await place(another), { status: 201, replayed: null })
    t.match(await get({ ...demo, url }, `/v1/stock?sku=85123A`), [{ reserved: 12 }])
    await killInTurn(t, second, url)
    await second.stop('SIGHUP')
  },
)

/** Killing one process leaves the others, and what was killed comes back. */
async function killInTurn(t: Test, running: Started, url: string): Promise<void> {
  for (const name of ['worker', 'server', 'postgres']) {
    const before = await pids(folder)
    process.kill(before[name] ?? 0, 'SIGKILL')
    for (const other of Object.keys(before)) if (other !== name) t.ok(findProcess(before[other] ?? 0), `${other} lives`)
    await until(async () => (await pids(folder))[name] !== before[name] && (await isReady(url)))
    t.match(running.output(), `${name} ended (SIGKILL); starting it again`)
  }
}

t.test('a killed start leaves nothing that the next one cannot take over', async (t) => {
  const first = await start(t, folder)
  const left = await pids(folder)
  first.child.kill('SIGKILL')
  const second = await start(t, folder)
  for (const name of Object.keys(left)) t.notOk(findProcess(left[name] ?? 0), `the old ${name} is gone`)
  const third = await fails({ DATA_DIR: folder, PORT: '0' })
  t.match(third, { code: 1, stderr: /^purser: Purser already runs from .*\n$/ })
  await second.stop('SIGTERM')
})

t.test('what makes a start impossible is one clear line and exit code 1', async (t) => {
  const occupied = net.createServer().listen(0, '127.0.0.1')
  await once(occupied, 'listening')
  t.teardown(() => occupied.close())
  const PORT = String((occupied.address() as net.AddressInfo).port)
  const cases: readonly [Record<string, string>, RegExp][] = [
    [{ PORT }, /^purser: port \d+ of 127\.0\.0\.1 is in use.*\n$/],
    [{ PORT: 'many' }, /^purser: invalid configuration: PORT must be integer\n$/],
    [{ DATABASE_URL: 'postgres://u:secret@localhost:1/x' }, /^purser: cannot use the database localhost:1\/x: .*\n$/],
    [{ NODE_ENV: 'production' }, /^purser: invalid configuration: DATABASE_URL is required in production.*\n$/],
    [{ HOST: '192.0.2.1' }, /^purser: cannot listen on 192\.0\.2\.1.*\n$/],
  ]
  for (const [env, stderr] of cases) {
    const ended = await fails({ DATA_DIR: folder, PORT: '0', ...env })
    t.match(ended, { code: 1, stderr, stdout: '' }, Object.keys(env).join())
    t.notMatch(ended.stderr, 'secret')
  }
})

type Started = Awaited<ReturnType<typeof start>>

/** Runs a start to its banner. `stop` also shows that nothing of it is left. */
async function start(t: Test, folder: string) {
  const child = spawn(process.execPath, [program], {
    env: { ...process.env, DATA_DIR: folder, PORT: '0', NODE_ENV: '' },
  })
  t.teardown(() => end(child, 'SIGTERM'))
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()))
  await until(async () => {
    if (child.exitCode !== null) throw new Error(`start ended: ${output}`)
    return output.includes('Ctrl-C stops everything.')
  })
  const stop = async (signal: NodeJS.Signals) => {
    const of = await pids(folder)
    t.equal(await end(child, signal), 0)
    t.strictSame(
      Object.values(of).filter((pid) => findProcess(pid)),
      [],
      'no process is left',
    )
  }
  return { child, output: () => output, stop }
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) {
    child.kill(signal)
    await once(child, 'exit')
  }
  return child.exitCode
}

async function fails(env: Readonly<Record<string, string>>) {
  const child = spawn(process.execPath, [program], { env: { ...process.env, NODE_ENV: '', ...env } })
  const read = async (stream: AsyncIterable<Buffer>) => Buffer.concat(await Array.fromAsync(stream)).toString()
  const [stdout, stderr] = await Promise.all([read(child.stdout), read(child.stderr), once(child, 'close')])
  return { code: child.exitCode, stdout, stderr }
}

async function dataFolder(t: Test): Promise<string> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'purser-start-'))
  t.teardown(async () => {
    const settings = await readFile(path.join(folder, 'postgres.json'), 'utf8').catch(() => '{}')
    const { elsewhere } = JSON.parse(settings) as { elsewhere?: string }
    for (const left of [folder, elsewhere]) if (left) await rm(left, { recursive: true, force: true })
  })
  return folder
}

const demoOf = async (folder: string) => JSON.parse(await readFile(path.join(folder, 'demo.json'), 'utf8')) as Demo

async function pids(folder: string): Promise<Record<string, number>> {
  const names = ['server', 'worker', 'postgres']
  const read = async (name: string) =>
    Number.parseInt(await readFile(path.join(folder, 'run', `${name}.pid`), 'utf8'), 10)
  return Object.fromEntries(await Promise.all(names.map(async (name) => [name, await read(name)])))
}

const isReady = (url: string) =>
  fetch(`${url}/health/ready`)
    .then(({ ok }) => ok)
    .catch(() => false)

async function until(isTrue: () => Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + 30_000; !(await isTrue()); await sleep(50))
    if (Date.now() > deadline) throw new Error('it did not happen within 30 s')
}

/** The request of the printed curl line. */
function orderOf(output: string) {
  const line = output.split('\n').find((text) => text.trim().startsWith('curl ')) ?? ''
  const headers = Object.fromEntries(
    [...line.matchAll(/-H '([^:]+): ([^']+)'/g)].map(([, name, value]) => [name, value]),
  )
  return { url: /https?:\S+/.exec(line)?.[0] ?? '', headers, body: / -d '(.+)'$/.exec(line)?.[1] ?? '' }
}

async function place({ url, headers, body }: ReturnType<typeof orderOf>) {
  const { status, headers: answered } = await fetch(url, { method: 'POST', headers, body })
  return { status, replayed: answered.get('idempotency-replayed') }
}

async function get({ url, apiKey }: Demo, target: string): Promise<unknown> {
  const response = await fetch(new URL(target, url), { headers: { Authorization: `Bearer ${apiKey}` } })
  return ((await response.json()) as { data: unknown }).data
}
