#!/usr/bin/env node
/// <reference types="node" />
import { parseArgs } from 'node:util'
import { Purser } from '../client.ts'
import { forward } from '../listen/forward.ts'
import type { ConnectionChange } from '../stream.ts'
import { signWebhook } from '../testing.ts'

const usage = `usage: purser listen --forward-to URL [--types order.*,stock.low] [--after POSITION]

Posts events to a URL of yours, as the webhooks that Purser would send: for a receiver under development that no
webhook can reach. Each attempt leaves a line; one that is not answered by 2xx is repeated twice. When the stream of events
breaks it is opened again, for as long as that takes; standard error tells of it once, and once more when it is back.
--types     only these, separated by commas
--after     begins behind this position, 0: with the oldest event; without it with the next event
Environment: PURSER_URL and PURSER_API_KEY (scope events:read) say whose events; PURSER_WEBHOOK_SECRET signs them,
without one a secret is made and printed.
Exit code 0: stopped by Ctrl-C. 1: the service refused. 2: wrong arguments.
`

type Filter = NonNullable<Parameters<Purser['events']['stream']>[0]>

/** What the command line says. */
interface Listen {
  readonly url: string
  readonly filter: Filter
  readonly after: number | undefined
}

class UsageError extends Error {}

/** Undefined: it asks for help. */
function readArguments(): Listen | undefined {
  const text = { type: 'string' } as const
  const options = { 'forward-to': text, types: text, after: text, help: { type: 'boolean' } } as const
  const { values, positionals } = parseArgs({ options, allowPositionals: true })
  const { 'forward-to': target, types, after, help } = values
  if (help) return undefined
  if (positionals.join(' ') !== 'listen' || target === undefined) throw new UsageError(usage)
  const address = /^https?:\/\//.test(target) ? target : `http://${target}`
  if (!URL.canParse(address)) throw new UsageError(`--forward-to: ${target} is no URL`)
  if (after !== undefined && !/^\d{1,15}$/.test(after)) throw new UsageError(`--after: ${after} is no position`)
  // The service knows more types than this version, and refuses what is none.
  const filter = types === undefined ? {} : { types: types.split(',') as NonNullable<Filter['types']> }
  return { url: address, filter, after: after === undefined ? undefined : Number(after) }
}

async function listen({ url, filter, after }: Listen, signal: AbortSignal): Promise<void> {
  const { PURSER_WEBHOOK_SECRET: given } = process.env
  const secret = given || `whsec_${btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(32))))}`
  await signWebhook('', { secret })
  const purser = Purser.fromEnv()
  const { organization } = await purser.me.get({}, { signal })
  print(`events of ${organization.name} (${organization.id}) go to ${url}`)
  if (!given) print(`secret ${secret}`)
  const stream = purser.events.stream(filter, { after, signal, onConnection: tell })
  let pending: number | undefined
  try {
    for await (const event of stream) {
      pending = event.sequence
      await forward(event, { url, secret, signal, report: print })
      pending = undefined
    }
  } finally {
    const position = pending === undefined ? stream.position : pending - 1
    if (position !== undefined) print(`stopped; --after ${position} goes on from here`)
  }
}

const print = (line: string): void => void process.stdout.write(`${line}\n`)
const warn = (line: string): void => void process.stderr.write(`purser: ${line}\n`)

/** Events wait at the service while the connection is away. */
function tell(change: ConnectionChange): void {
  if (!change.isOpen) warn(`connection lost: ${reasonOf(change.error)}; connecting again`)
  else if (change.position === undefined) warn('connected again, with the next event')
  else warn(`connected again, behind position ${change.position}`)
}

function reasonOf(error: unknown): string {
  if (error === undefined) return 'the service ended it'
  const { message, cause } = error as Error
  return cause instanceof Error ? `${message} (${cause.message})` : message
}

async function main(): Promise<void> {
  const asked = readArguments()
  if (asked === undefined) return print(usage)
  const stop = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort())
  await listen(asked, stop.signal).catch((error: unknown) => {
    if (!stop.signal.aborted) throw error
  })
}

main().catch((error: Error & { readonly code?: string }) => {
  warn(error.message)
  process.exitCode = error instanceof UsageError || error.code?.startsWith('ERR_PARSE_ARGS') ? 2 : 1
})
