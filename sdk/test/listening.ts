import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { promisify } from 'node:util'
import { verifyWebhook } from '@purser/sdk/webhooks'
import { Webhook } from 'standardwebhooks'
import type { Test } from 'tap'
import { harness } from '../../services/api/src/test/harness.ts'
import { receiver, statusAnswer } from '../../services/api/src/test/receiver.ts'
import { relay } from '../../services/api/src/test/relayed.ts'
import { until } from '../../services/api/src/test/until.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** The command of a project that has the packed SDK installed, against the service itself. */
export async function forwardsEvents(t: Test, folder: string, env: Environment): Promise<void> {
  const h = await harness(t)
  const { tenant, app } = h
  const baseUrl = await app.http.listen({ host: '127.0.0.1', port: 0 })
  const own = await receiver(t)
  const access = { ...env, PURSER_URL: baseUrl, PURSER_API_KEY: tenant.key }
  const place = async (): Promise<void> => {
    await h.as(tenant.key).post('/v1/orders', { paymentTerms: 'onAccount', lines: [{ sku: 'MUG', quantity: 1 }] })
    await relay(h)
  }
  await tenant.stock([{ sku: 'MUG', onHand: 100 }])
  await relay(h)
  const target = own.url.replace('http://', '')
  const command = start(t, folder, access, ['listen', '--forward-to', target, '--types', 'order.*', '--after', '0'])

  await until('it is ready', () => command.output().includes('secret '))
  const secret = /^secret (whsec_\S+)$/m.exec(command.output())?.[1] ?? ''
  await place()
  await until('two webhooks', () => own.received.length === 2)
  for (const { headers, body, event } of own.received) {
    t.equal(headers['webhook-id'], event.id)
    t.same(await verifyWebhook({ body, headers }, { secret }), event)
    t.doesNotThrow(() => new Webhook(secret).verify(body, headers as Record<string, string>))
    t.equal((await h.as(tenant.key).get(`/v1/events/${event.id}`)).data, body, 'byte by byte')
  }

  own.answer((received, response, request) => {
    own.answer(204)
    statusAnswer(500)(received, response, request)
  })
  await place()
  await until('one is repeated', () => own.received.length === 5)
  t.equal(own.received[3]?.event.id, own.received[2]?.event.id)
  t.match(command.output(), / order\.placed evt_\w+ → 500 in \d+ ms, again in 1 s\n/)
  t.match(command.output(), / order\.confirmed evt_\w+ → 204 in \d+ ms\n/)

  const { sequence: before } = own.received[4]?.event ?? {}
  const outages = () => command.errors().match(/^purser: connection lost: .+; connecting again$/gm) ?? []
  let tries = 0
  const throwOut = () => {
    tries++
    app.http.server.closeAllConnections()
  }
  app.http.server.on('connection', throwOut).closeAllConnections()
  await until('it has tried in vain, twice', () => tries === 2)
  app.http.server.off('connection', throwOut)
  await place()
  await until('it came back', () => own.received.length === 7)
  const { sequence } = own.received[6]?.event ?? {}
  command.child.kill('SIGINT')
  t.equal(await command.ended, 0)
  t.match(command.output(), new RegExp(`\\nstopped; --after ${sequence} goes on from here\\n$`))
  t.equal(outages().length, 1, 'once per outage')
  t.match(command.errors(), new RegExp(`\npurser: connected again, behind position ${before}\n$`))
}

/** What it refuses, and how it says so. */
export async function refusesToForward(t: Test, folder: string, env: Environment): Promise<void> {
  const run = promisify(execFile)
  const npx = await run('npx', ['--no-install', '@purser/sdk', '--help'], { cwd: folder, env: { ...env } })
  t.match(npx.stdout, /^usage: purser listen --forward-to URL/)
  const nowhere = { ...env, PURSER_URL: 'http://127.0.0.1:9', PURSER_API_KEY: 'sk_test_1' }
  const target = ['listen', '--forward-to', 'http://127.0.0.1:9']
  const cases: readonly [readonly string[], Environment, number, RegExp][] = [
    [['listen'], nowhere, 2, /^purser: usage: /],
    [['listen', '--forward-to', 'http://:x'], nowhere, 2, /^purser: --forward-to: http:\/\/:x is no URL\n$/],
    [[...target, '--after', 'evt_1'], nowhere, 2, /^purser: --after: evt_1 is no position\n$/],
    [[...target, '--nonsense'], nowhere, 2, /^purser: .*--nonsense/],
    [target, { ...nowhere, PURSER_WEBHOOK_SECRET: 'x' }, 1, /^purser: .*secret must be whsec_/],
    [target, { ...nowhere, PURSER_API_KEY: '' }, 1, /^purser: .*apiKey/],
  ]
  const attempt = async ([words, variables, code, message]: (typeof cases)[number]): Promise<void> => {
    const command = start(t, folder, variables, words)
    t.equal(await command.ended, code, message.source)
    t.match(command.errors(), message)
  }
  await Promise.all(cases.map(attempt))
}

interface Command {
  readonly child: ChildProcess
  readonly output: () => string
  readonly errors: () => string
  readonly ended: Promise<number | null>
}

function start(t: Test, folder: string, env: Environment, words: readonly string[]): Command {
  const child = spawn(`${folder}/node_modules/.bin/purser`, words, { cwd: folder, env: { ...env } })
  const written = { out: '', err: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    written.out += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    written.err += text
  })
  const ended = once(child, 'close').then(([code]) => code as number | null)
  t.teardown(() => child.kill('SIGKILL'))
  return { child, output: () => written.out, errors: () => written.err, ended }
}
