import { parseArgs } from 'node:util'

export interface Options {
  /** Length of one measured phase, in seconds. */
  readonly seconds: number
  /** How often API and limit take turns. */
  readonly rounds: number
  /** Length of the open loop, in seconds. */
  readonly openSeconds: number
  /** Orders stored before anything is measured. */
  readonly orders: number
  /** Orders stored in the large database of the growth measure; null without `--growth`. */
  readonly growthOrders: number | null
  /** Events of the backlog when the relay alone is measured; null without `--events`. */
  readonly events: number | null
  /** The way of events to readers of the stream and receivers of webhooks, alone. */
  readonly delivery: boolean
  /** Jobs alone, beside bare pg-boss. */
  readonly jobs: boolean
  readonly json: boolean
  readonly isQuick: boolean
  /** Further environment variables of the API process, for experiments. */
  readonly settings: Readonly<Record<string, string>>
}

const usage =
  'usage: npm run bench -- [--quick] [--seconds N] [--growth | --events | --delivery | --jobs] [--json] [--set NAME=value …]'

/** @throws Error with the usage when an option is unknown or no number. */
export function readOptions(args: readonly string[]): Options {
  const { values } = parse(args)
  const isQuick = values.quick ?? false
  const seconds = Number(values.seconds ?? (isQuick ? 2 : 10))
  if (!Number.isInteger(seconds) || seconds < 1 || seconds > 600) throw new Error(`--seconds is 1 to 600; ${usage}`)
  return {
    seconds,
    rounds: isQuick ? 1 : 3,
    openSeconds: isQuick ? seconds : 10,
    orders: 10_000,
    growthOrders: values.growth ? (isQuick ? 50_000 : 1_000_000) : null,
    events: values.events ? (isQuick ? 10_000 : 100_000) : null,
    delivery: values.delivery ?? false,
    jobs: values.jobs ?? false,
    json: values.json ?? false,
    isQuick,
    settings: Object.fromEntries((values.set ?? []).map(readSetting)),
  }
}

function parse(args: readonly string[]) {
  const flag = { type: 'boolean' } as const
  const set = { type: 'string', multiple: true } as const
  try {
    const modes = { growth: flag, events: flag, delivery: flag, jobs: flag } as const
    const options = { quick: flag, ...modes, json: flag, seconds: { type: 'string' }, set } as const
    return parseArgs({ args: [...args], options })
  } catch (cause) {
    throw new Error(`${cause instanceof Error ? cause.message : String(cause)}; ${usage}`, { cause })
  }
}

function readSetting(text: string): [string, string] {
  const [, name, value] = /^([A-Z][A-Z0-9_]*)=(.*)$/.exec(text) ?? []
  if (name === undefined || value === undefined) throw new Error(`--set ${text}: ${usage}`)
  return [name, value]
}
