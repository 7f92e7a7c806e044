import type { Test } from 'tap'
import { databaseState } from '../database-state.ts'
import type { Harness } from '../harness.ts'
import type { Answer } from '../http-client.ts'
import { requestOf, type Sample } from '../samples.ts'
import type { BadCase } from './cases.ts'

const parallel = 24
const maxShown = 40

/**
 * Sends every case and returns what was wrong with the answers: accepted, another refusal than documented, refused for
 * another reason. The shape of each answer is held against the document by the client. Nothing may change in the database.
 */
export async function refusalsOf(
  t: Test,
  h: Harness,
  key: string,
  sample: Sample,
  cases: readonly BadCase[],
): Promise<readonly string[]> {
  const client = h.as(key)
  const before = await databaseState(h.db)
  const wrong: string[] = []
  const open = [...cases]
  const sendAll = async (): Promise<void> => {
    for (let one = open.pop(); one !== undefined; one = open.pop()) {
      const found = await client.send(requestOf(sample, one.change)).then(
        (answer) => mistakeIn(one as BadCase, answer),
        (error: Error) => error.message,
      )
      if (found !== null && wrong.length < maxShown)
        wrong.push(`${sample.operation.id} [${one.category}] ${one.name}: ${found}`)
    }
  }
  await Promise.all(Array.from({ length: parallel }, sendAll))
  t.same(await databaseState(h.db), before, `${sample.operation.id}: no row was added, changed or taken away`)
  return wrong
}

function mistakeIn({ statuses, code, pointer }: BadCase, { status, body, text }: Answer): string | null {
  const told = `${status} ${text.slice(0, 200)}`
  if (!statuses.includes(status)) return `expected ${statuses.join(' or ')}, got ${told}`
  if (code !== undefined && body.error.code !== code) return `expected ${code}, got ${told}`
  if (body.success !== false || body.status !== status || !body.meta.requestId) return `no problem body: ${told}`
  if (pointer === undefined) return null
  const pointers = (body.errors as { pointer: string }[]).map((entry) => entry.pointer)
  const shown = pointer.slice(0, 900)
  if (
    pointers.some(
      (one) => one === shown || one.startsWith(pointer === '' ? '' : `${shown}/`) || one.startsWith(`${shown}…`),
    )
  )
    return null
  return `refused for another reason (${pointers.join(', ')}): ${told}`
}
