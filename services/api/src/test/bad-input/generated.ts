import type { Test } from 'tap'
import { type Harness, harness } from '../harness.ts'
import { operations } from '../operations.ts'
import { createSampler, requestOf, type Sample } from '../samples.ts'
import { spread } from '../spread.ts'
import { cursorCases, pathCases, queryCases } from './address-cases.ts'
import { type BadCase, categories } from './cases.ts'
import { headerCases, mediaCases } from './header-cases.ts'
import { limitCases } from './limit-cases.ts'
import { placesOf } from './pointers.ts'
import { refusalsOf } from './run.ts'
import { duplicateCases, syntaxCases, unicodeCases } from './text-cases.ts'
import { requiredCases, typeCases, unknownKeyCases } from './type-cases.ts'
import { dateCases, idCases, numberCases } from './value-cases.ts'

interface Counts {
  readonly all: number
  /** Cases of each category, by operation. */
  readonly sent: ReadonlyMap<string, readonly number[]>
}

/**
 * Every operation refuses every kind of bad input, made from its schemas, and nothing changes. Of each category at most
 * `mostOfACategory` cases are sent per operation, evenly spread over all.
 */
export async function refusesBadInput(t: Test, mostOfACategory = Number.POSITIVE_INFINITY): Promise<void> {
  t.setTimeout(300_000)
  const h = await harness(t, { env: { RATE_LIMIT_FAILED_AUTHENTICATION: '1000000', DB_ACQUIRE_TIMEOUT_MS: '30000' } })
  const sent = new Map<string, readonly number[]>()
  let all = 0
  for (const operation of operations)
    await t.test(`${operation.id} refuses bad input, and nothing changes`, async (t) => {
      // A tenant per operation: what one sample does cannot spoil another.
      const tenant = await h.otherTenant()
      const sampler = await createSampler(h, tenant)
      const client = h.as(tenant.key)
      for (const make of [sampler.example, sampler.full]) {
        const sample = await make(operation)
        const accepted = await client.send(requestOf(sample))
        t.ok(accepted.status < 300, `the valid sample is accepted: ${accepted.status} ${accepted.text.slice(0, 500)}`)
      }
      const sample = await sampler.full(operation)
      const made = casesOf(h, sample, tenant.organizationId)
      all += made.length
      const chosen = categories.map((category) =>
        spread(
          made.filter((one) => one.category === category),
          mostOfACategory,
        ),
      )
      sent.set(
        operation.id,
        chosen.map(({ length }) => length),
      )
      const cases = chosen.flat()
      t.same(await refusalsOf(t, h, tenant.key, sample, cases), [], `${cases.length} of ${made.length} cases`)
      const after = await client.send(requestOf(sample))
      t.ok(after.status < 300, `the sample they were made from is accepted: ${after.text.slice(0, 500)}`)
    })
  await t.test('the cases are many, and the process is alive', async (t) => {
    const total = sumOf([...sent.values()].flat())
    t.ok(total >= 2_000, `${total} of ${all} generated cases`)
    for (const line of table({ all, sent })) t.comment(line)
    t.equal(sent.size, operations.length)
    t.equal((await h.as(h.tenant.key).get('/v1/me')).status, 200)
  })
}

function casesOf(h: Harness, sample: Sample, organizationId: string): readonly BadCase[] {
  const { body, operation } = sample
  const encode = (binding: string) => h.app.http.kernel.cursors.encode(['2026-01-15T09:30:00.000Z', 'x'], binding)
  const common = [
    ...pathCases(sample),
    ...queryCases(sample),
    ...cursorCases(sample, encode, organizationId),
    ...headerCases(sample),
    ...mediaCases(sample, h.runtime.config.BODY_LIMIT_BYTES),
  ]
  if (operation.body === null) return common
  const places = placesOf(operation.body, body)
  const makers = [
    typeCases,
    limitCases,
    requiredCases,
    unknownKeyCases,
    duplicateCases,
    unicodeCases,
    numberCases,
    dateCases,
    idCases,
  ]
  return [...common, ...syntaxCases(body), ...makers.flatMap((make) => make(body, places))]
}

/** `| operation | syntax | types | … | sum |` */
function table({ all, sent }: Counts): readonly string[] {
  const line = (name: string, cells: readonly (string | number)[]): string =>
    `| ${name.padEnd(24)}${cells.map((cell) => String(cell).padStart(10)).join('')}`
  const rows = [...sent].map(([id, cells]) => line(id, [...cells, sumOf(cells)]))
  const sums = categories.map((_, index) => sumOf([...sent.values()].map((cells) => cells[index] ?? 0)))
  const title = `bad input, ${sumOf(sums)} of ${all}`
  return [line(title, [...categories, 'sum']), ...rows, line('sum', [...sums, sumOf(sums)])]
}

const sumOf = (counts: readonly number[]): number => counts.reduce((sum, count) => sum + count, 0)
