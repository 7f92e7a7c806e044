import type { SeenOpen } from './load/load.ts'
import type { Delivery } from './measure-delivery.ts'
import type { RelayThroughput } from './measure-events.ts'
import type { Growth } from './measure-growth.ts'
import { bestOf, type Orders } from './measure-orders.ts'
import type { ReadResult } from './measure-reads.ts'

export interface BenchResult {
  readonly perSecond: number
  readonly limitPerSecond: number
  readonly ratio: number
  /** Null when growth was not measured. */
  readonly growthRatio: number | null
  readonly p999AtSeventyPercentMs: number
  readonly getRatio: number
  readonly listRatio: number
  readonly residentMb: number
}

/** The last line of `--json`. */
export function jsonLine(result: BenchResult): string {
  const { perSecond, limitPerSecond, ratio, growthRatio, p999AtSeventyPercentMs } = result
  return JSON.stringify({
    orders: {
      perSecond: rounded(perSecond, 0),
      limitPerSecond: rounded(limitPerSecond, 0),
      ratio: rounded(ratio, 3),
      growthRatio: growthRatio === null ? null : rounded(growthRatio, 3),
      p999AtSeventyPercentMs: rounded(p999AtSeventyPercentMs, 1),
    },
    reads: { getRatio: rounded(result.getRatio, 3), listRatio: rounded(result.listRatio, 3) },
    api: { residentMb: result.residentMb },
  })
}

export function ordersTable({ api, limit, ratios }: Orders): string[] {
  const lone = (results: readonly { clients: number; perSecond: number }[]) =>
    results.find(({ clients }) => clients === 1)?.perSecond ?? Number.NaN
  const most = api.at(-1)
  return [
    '',
    line(['orders', 'clients', '/s', 'p50 ms', 'p95', 'p99', 'p99.9', 'CPU µs: API', 'PostgreSQL']),
    ...api.map((r) =>
      line([
        'API',
        r.clients,
        whole(r.perSecond),
        ...[r.p50, r.p95, r.p99, r.p999].map(ms),
        whole(r.apiCpu),
        whole(r.postgresCpu),
      ]),
    ),
    ...limit.map((r) =>
      line(['limit', r.clients, whole(r.perSecond), `avg ${ms(r.averageMs)}`, '', '', '', '', whole(r.postgresCpu)]),
    ),
    `API at ${most?.clients} clients / best limit: ${share((most?.perSecond ?? 0) / bestOf(limit))} (by round ${ratios.map(share).join(', ')})`,
    `API at 1 client / limit at 1 client: ${share(lone(api) / lone(limit))}`,
  ]
}

export const openTable = (seen: SeenOpen, perSecond: number): string[] => [
  '',
  line(['open loop', 'at', '/s', 'p50 ms', 'p95', 'p99', 'p99.9', 'sent late', '']),
  line(['API', '70 %', perSecond, ...[seen.p50, seen.p95, seen.p99, seen.p999, seen.lagMs].map(ms), '']),
]

const readNames = { get: 'GET one', list: 'list of 20', search: 'search' } as const

export const readsTable = (reads: readonly ReadResult[]): string[] => [
  '',
  line(['reads', 'clients', 'API /s', 'bare /s', 'ratio', '', '', '', '']),
  ...reads.map(({ read, apiPerSecond, barePerSecond, ratio }) =>
    line([readNames[read], 16, whole(apiPerSecond), whole(barePerSecond), share(ratio), '', '', '', '']),
  ),
]

export const growthTable = ({ small, large, ratio }: Growth): string[] => [
  '',
  line(['growth', 'stored', '/s', '', '', '', '', '', '']),
  ...[small, large].map(({ orders, perSecond }) => line(['API', orders, whole(perSecond), '', '', '', '', '', ''])),
  `large / small: ${share(ratio)}`,
]

export const eventsTable = ({ events, perSecond, workerCpu, postgresCpu }: RelayThroughput): string[] => [
  line(['events', 'backlog', '/s', '', '', '', '', 'CPU µs: worker', 'PostgreSQL']),
  line(['relay', events, whole(perSecond), '', '', '', '', whole(workerCpu), whole(postgresCpu)]),
]

export const deliveryTable = (deliveries: readonly Delivery[]): string[] => [
  line(['delivery', 'events', '', 'p50 ms', 'p95', 'p99', '', 'p99 start', '']),
  ...deliveries.map(({ to, events, p50, p95, p99, p99FromStart }) =>
    line([to, events, '', ...[p50, p95, p99].map(ms), '', ms(p99FromStart), '']),
  ),
]

const widths = [11, 8, 9, 10, 8, 8, 8, 12, 11] as const

const line = (cells: readonly (string | number)[]): string =>
  cells
    .map((cell, index) => (index === 0 ? String(cell).padEnd(widths[0]) : String(cell).padStart(widths[index] ?? 0)))
    .join('')
    .trimEnd()

const whole = (value: number): string => String(Math.round(value))
const ms = (value: number): string => value.toFixed(value < 100 ? 1 : 0)
const share = (value: number): string => value.toFixed(2)

function rounded(value: number, digits: number): number {
  const factor = 10 ** digits
  return Math.round(value * factor) / factor
}
