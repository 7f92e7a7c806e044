import t from 'tap'
import { besideMisbehaving } from './misbehaving-receivers.ts'
import { median, quantile } from './quantiles.ts'

const mostRatio = 1.2
const mostGrowth = 1.1

t.test('receivers that misbehave delay no others and cost no memory', async (t) => {
  t.setTimeout(600_000)
  const { turns, memory, outcomes } = await besideMisbehaving(t, { turns: 5, roundMs: 12_000, eventsPerSecond: 8 })
  for (const [index, { none, behaving, misbehaving }] of turns.entries())
    t.comment(
      `| turn ${index + 1}: alone ${told(none)}; beside 16 that behave ${told(behaving)}; that misbehave ${told(misbehaving)}`,
    )
  // To serve more endpoints costs time as well; what the others do with it must not.
  const ratioTo = (company: 'none' | 'behaving'): number =>
    median(turns.map((turn) => median(turn.misbehaving) / median(turn[company])))
  t.comment(`| misbehaving / alone: ${ratioTo('none').toFixed(2)}`)
  t.ok(ratioTo('behaving') <= mostRatio, `misbehaving / behaving: ${ratioTo('behaving').toFixed(2)}`)
  t.comment(`| memory of the worker in MB: ${memory.map((size) => size.toFixed(1)).join(' ')}`)
  const third = Math.floor(memory.length / 3)
  const growth = median(memory.slice(-third)) / median(memory.slice(third, -third))
  t.ok(growth <= mostGrowth, `its last third is ${growth.toFixed(2)} of the middle one`)
  for (const { way, outcome, attempts } of outcomes) t.comment(`| ${way}: ${outcome} ${attempts} times`)
})

const told = (lags: readonly number[]): string =>
  `p50 ${median(lags).toFixed(1)} p99 ${quantile(lags, 0.99).toFixed(1)} ms of ${lags.length}`
