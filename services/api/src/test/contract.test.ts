import t from 'tap'
import { document, producedPairs } from './contract-check.ts'
import { createProducers } from './contract-producers.ts'
import type { Answer } from './http-client.ts'
import { operations } from './operations.ts'

// Runs in a process of its own: the pairs that it counts are those of its process.

interface AnySchema {
  readonly type?: string | readonly string[]
  readonly additionalProperties?: unknown
  readonly maxProperties?: number
}

t.test('every documented pair of operation and status is produced, as documented', async (t) => {
  const produce = await createProducers(t)
  for (const operation of operations)
    for (const status of operation.statuses) {
      const answer = await produce(operation, status)
      t.equal(answer.status, status, `${operation.id} ${status}: ${answer.text.slice(0, 200)}`)
      t.same(missingHeaders(answer), [], `${operation.id} ${status}: headers`)
    }
  const documented = operations.flatMap(({ id, statuses }) => statuses.map((status) => `${id} ${status}`))
  t.same(
    documented.filter((pair) => !producedPairs.has(pair)),
    [],
    'none is missing',
  )
  t.comment(`| documented pairs of operation and status: ${documented.length}, all produced`)
})

/** Headers an answer of this status must have and has not. */
function missingHeaders({ status, headers }: Answer): readonly string[] {
  const wanted = ['x-request-id', ...(byStatus[status] ?? []), ...(status < 500 ? limits : [])]
  return wanted.filter((name) => headers[name] === undefined)
}

const byStatus: Readonly<Record<number, readonly string[]>> = {
  201: ['location', 'etag'],
  202: ['location'],
  304: ['etag'],
  401: ['www-authenticate'],
  429: ['retry-after'],
  503: ['retry-after'],
}
const limits = ['ratelimit-limit', 'ratelimit-remaining', 'ratelimit-reset']

t.test(
  'every object that is answered is closed, but for the free data of the integrator and JSON Schemas',
  async (t) => {
    const free: string[] = []
    let closed = 0
    const visit = (schema: unknown, path: string): void => {
      if (typeof schema !== 'object' || schema === null) return
      const { type, additionalProperties, maxProperties } = schema as AnySchema
      const isObject = [type].flat().includes('object')
      if (isObject && additionalProperties === false) closed++
      else if (isObject) {
        t.ok(typeof additionalProperties === 'object' && maxProperties !== undefined, `${path} is open`)
        free.push(path.split('/').at(-1) ?? '')
      }
      for (const [key, value] of Object.entries(schema))
        if (key !== 'examples' && key !== 'example') visit(value, `${path}/${key}`)
    }
    visit(document.components, '')
    visit(document.paths, '')
    t.same([...new Set(free)].sort(), ['attributes', 'metadata', 'schema'])
    t.ok(closed > 60, `${closed} closed objects`)
  },
)
