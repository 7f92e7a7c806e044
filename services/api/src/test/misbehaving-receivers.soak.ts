import t from 'tap'
import { besideMisbehaving } from './misbehaving-receivers.ts'

const mostRatio = 1.2
const mostGrowth = 1.1

t.test('receivers that misbehave delay no others and cost no memory', async (t) => {
  t.setTimeout(600_000)
  const { rounds, memory, outcomes } = await besideMisbehaving(t, { pairs: 6, roundMs: 15_000, eventsPerSecond: 8 })
  const ratios = rounds.map(({ alone, beside }) => median(beside) / median(alone))
  for (const [index, { alone, beside }] of rounds.entries())
    t.comment(`| pair ${index + 1}: alone ${told(alone)}; beside ${told(beside)}; ratio ${ratios[index]?.toFixed(2)}`)
  t.ok(median(ratios) <= mostRatio, `ratio of the medians: ${median(ratios).toFixed(2)}`)
  t.comment(`| memory of the worker in MB: ${memory.map((size) => size.toFixed(1)).join(' ')}`)
  const third = Math.floor(memory.length / 3)
  const growth = median(memory.slice(-third)) / median(memory.slice(third, -third))
  t.ok(growth <= mostGrowth, `its last third is ${growth.toFixed(2)} of the middle one`)
  for (const { way, outcome, attempts } of outcomes) t.comment(`| ${way}: ${outcome} ${attempts} times`)
})

const told = (lags: readonly number[]): string =>
  `p50 ${median(lags).toFixed(1)} p99 ${quantile(lags, 0.99).toFixed(1)} ms of ${lags.length}`

const median = (values: readonly number[]): number => quantile(values, 0.5)

function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(part * (sorted.length - 1))] ?? Number.NaN
}
