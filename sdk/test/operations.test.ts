import { existsSync, readFileSync } from 'node:fs'
import { Purser } from '@purser/sdk'
import { test } from 'tap'
import type { Document, OperationObject } from '../generate/document.ts'
import { generate } from '../generate/generate.ts'
import { isOffered } from '../generate/operations.ts'

const source = new URL('../../openapi/openapi.json', import.meta.url)
const document = JSON.parse(readFileSync(source, 'utf8')) as Document
const operations = Object.values(document.paths ?? {}).flatMap((item) => Object.values(item) as OperationObject[])

test('has a method for every operation of the published document', async (t) => {
  const purser = new Purser({ apiKey: 'sk_test_1' }) as unknown as Record<string, Record<string, unknown>>
  const ids = operations.filter(isOffered).map(({ operationId }) => operationId ?? '')
  t.ok(ids.length > 0)
  for (const id of ids) {
    const [resource = '', method = ''] = id.split('.')
    t.type(purser[resource]?.[method], 'function', id)
  }
})

test('is generated from the published document as it is', async (t) => {
  for (const [name, text] of await generate(document)) {
    const file = new URL(`../src/generated/${name}`, import.meta.url)
    t.equal(existsSync(file) && readFileSync(file, 'utf8'), text, name)
  }
})

test('exports every component under its own name', async (t) => {
  const index = readFileSync(new URL('../src/index.ts', import.meta.url), 'utf8')
  const own = new Set([...index.matchAll(/\{([^}]*)\}/g)].flatMap(([, names = '']) => names.match(/\b[A-Z]\w+/g) ?? []))
  const hidden = Object.keys(document.components?.schemas ?? {}).filter((name) => own.has(name))
  t.strictSame(hidden, [])
})
