import { readFileSync } from 'node:fs'
import t from 'tap'
import { breakingChanges, type Document } from '../breaking/documents.ts'

type Json = Record<string, unknown>

/** A small document; each case changes a copy of it. */
const base = {
  paths: {
    '/v1/things/{thingId}': {
      patch: {
        operationId: 'things.update',
        'x-scope': 'things:write',
        security: [{ apiKey: [] }],
        parameters: [
          { in: 'path', name: 'thingId', required: true, schema: { type: 'string', maxLength: 30 } },
          {
            in: 'query',
            name: 'fields',
            schema: { type: 'array', maxItems: 5, items: { type: 'string', enum: ['a', 'b'] } },
          },
          { in: 'header', name: 'If-Match', schema: { type: 'string' } },
        ],
        requestBody: {
          required: true,
          content: { 'application/json': { schema: { $ref: '#/components/schemas/Update' } } },
        },
        responses: {
          200: {
            headers: { ETag: {} },
            content: {
              'application/json': {
                schema: {
                  type: 'object',
                  additionalProperties: false,
                  properties: { data: { $ref: '#/components/schemas/Thing' } },
                },
              },
            },
          },
          404: { $ref: '#/components/responses/NotFound' },
        },
      },
    },
    '/v1/open': { get: { operationId: 'open.get', security: [], responses: { 200: {} } } },
  },
  components: {
    responses: {
      NotFound: { content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } } },
    },
    schemas: {
      Problem: { type: 'object', required: ['status'], properties: { status: { type: 'integer', format: 'int32' } } },
      Update: {
        type: 'object',
        additionalProperties: false,
        required: ['name'],
        properties: {
          name: { type: 'string', minLength: 1, maxLength: 50 },
          size: { type: ['integer', 'null'], minimum: 1, maximum: 9 },
          kind: { type: 'string', enum: ['x', 'y'] },
          note: { type: 'string' },
          tags: {
            type: 'object',
            additionalProperties: { type: 'string', maxLength: 9 },
            propertyNames: { maxLength: 9 },
          },
          parts: { type: 'array', items: { $ref: '#/components/schemas/Update' } },
        },
      },
      Thing: {
        type: 'object',
        additionalProperties: false,
        required: ['id', 'kind'],
        properties: {
          id: { type: 'string' },
          kind: { type: 'string', enum: ['x', 'y'] },
          count: { type: 'integer', format: 'int32' },
          owner: { anyOf: [{ $ref: '#/components/schemas/Owner' }, { type: 'null' }] },
        },
      },
      Owner: { type: 'object', additionalProperties: false, properties: { name: { type: 'string' } } },
    },
  },
}

/** The changes after one at `path`: a value there, or nothing. */
function after(path: string, value?: unknown): readonly string[] {
  const copy = structuredClone(base) as unknown as Json
  const keys = path.split('.').map((key) => key.replaceAll('|', '/'))
  const last = keys.pop() ?? ''
  const parent = keys.reduce((node, key) => node[key] as Json, copy)
  if (value === undefined) delete parent[last]
  else parent[last] = value
  return breakingChanges(base as unknown as Document, copy as unknown as Document)
}

const operation = 'paths.|v1|things|{thingId}.patch'
const update = 'components.schemas.Update'
const thing = 'components.schemas.Thing'

t.test('sees what breaks a client', async (t) => {
  const cases: readonly (readonly [change: string, path: string, value?: unknown])[] = [
    ['things.update is gone: PATCH /v1/things/{thingId}', operation],
    ['things.update has another name: things.change', `${operation}.operationId`, 'things.change'],
    ['things.update needs another scope: things:admin', `${operation}.x-scope`, 'things:admin'],
    ['open.get needs a credential', 'paths.|v1|open.get.security', [{ apiKey: [] }]],
    [
      'things.update no longer takes query fields',
      `${operation}.parameters`,
      [base.paths['/v1/things/{thingId}'].patch.parameters[0]],
    ],
    ['things.update requires header If-Match', `${operation}.parameters.2.required`, true],
    [
      'things.update requires query x',
      `${operation}.parameters.3`,
      { in: 'query', name: 'x', required: true, schema: {} },
    ],
    ['things.update path thingId has a lower maxLength: 20', `${operation}.parameters.0.schema.maxLength`, 20],
    ['things.update query fields/items no longer takes b', `${operation}.parameters.1.schema.items.enum`, ['a']],
    ['things.update no longer takes a body', `${operation}.requestBody`],
    ['open.get requires a body', 'paths.|v1|open.get.requestBody', { required: true, content: {} }],
    ['things.update no longer takes application/json', `${operation}.requestBody.content`, { 'text/plain': {} }],
    ['Update (request)/note is gone', `${update}.properties.note`],
    ['Update (request)/note is required', `${update}.required`, ['name', 'note']],
    ['Update (request)/extra is required', `${update}.required`, ['name', 'extra']],
    ['Update (request)/note is required beside kind', `${update}.dependentRequired`, { kind: ['note'] }],
    ['Update (request)/name has a lower maxLength: 40', `${update}.properties.name.maxLength`, 40],
    ['Update (request)/name has a higher minLength: 2', `${update}.properties.name.minLength`, 2],
    ['Update (request)/note has a lower maxLength: 9', `${update}.properties.note.maxLength`, 9],
    ['Update (request)/note has another pattern: ^a', `${update}.properties.note.pattern`, '^a'],
    ['Update (request)/note no longer takes any text', `${update}.properties.note.enum`, ['a']],
    ['Update (request)/size has a lower maximum: 8', `${update}.properties.size.maximum`, 8],
    ['Update (request)/size no longer takes null', `${update}.properties.size.type`, 'integer'],
    ['Update (request)/kind no longer takes y', `${update}.properties.kind.enum`, ['x', 'z']],
    ['Update (request)/tags takes no other keys', `${update}.properties.tags.additionalProperties`, false],
    ['Update (request)/tags/* has a lower maxLength: 8', `${update}.properties.tags.additionalProperties.maxLength`, 8],
    ['Update (request)/tags/(names) has a lower maxLength: 8', `${update}.properties.tags.propertyNames.maxLength`, 8],
    ['Update (request)/parts no longer takes an item twice', `${update}.properties.parts.uniqueItems`, true],
    ['things.update no longer answers 200', `${operation}.responses.200`],
    ['things.update may answer 202', `${operation}.responses.202`, {}],
    ['things.update 200 has no header ETag', `${operation}.responses.200.headers.ETag`],
    ['things.update 200 is no longer application/json', `${operation}.responses.200.content`, { 'text/plain': {} }],
    ['Thing (response)/count is gone', `${thing}.properties.count`],
    ['Thing (response)/kind may be missing', `${thing}.required`, ['id']],
    ['Thing (response)/id may now be null', `${thing}.properties.id.type`, ['string', 'null']],
    ['Thing (response)/count has another format: int64', `${thing}.properties.count.format`, 'int64'],
    ['Thing (response)/kind may now be any text', `${thing}.properties.kind.enum`],
    ['Thing (response) may have other keys', `${thing}.additionalProperties`, { type: 'string' }],
    ['Owner (response)/name is gone', 'components.schemas.Owner.properties', {}],
    ['Problem (response)/status may be missing', 'components.schemas.Problem.required', []],
  ]
  for (const [change, path, value] of cases) t.has(after(path, value), [change], change)
  for (const [change, path, value] of cases) t.equal(after(path, value).length, 1, `${change}, and nothing else`)
})

t.test('lets pass what only adds', async (t) => {
  const cases: readonly (readonly [path: string, value?: unknown])[] = [
    ['paths.|v1|new', { get: { operationId: 'new.get' } }],
    [`${operation}.parameters.3`, { in: 'query', name: 'x', schema: {} }],
    [`${operation}.summary`, 'other words'],
    [`${operation}.responses.404`],
    [`${operation}.responses.409`, { $ref: '#/components/responses/NotFound' }],
    [`${update}.properties.extra`, { type: 'string' }],
    [`${update}.required`, []],
    [`${update}.properties.name.maxLength`, 60],
    [`${update}.properties.name.minLength`],
    [`${update}.properties.note.minLength`, 0],
    [`${update}.properties.size.type`, ['number', 'null']],
    [`${update}.properties.kind.enum`, ['x', 'y', 'z']],
    [`${update}.properties.kind.enum`],
    [`${thing}.properties.extra`, { type: 'string' }],
    [`${thing}.required`, ['id', 'kind', 'count']],
    [`${thing}.properties.id.maxLength`, 30],
    [`${thing}.properties.kind.enum`, ['x', 'y', 'z']],
    [`${thing}.properties.owner`, { $ref: '#/components/schemas/Owner' }],
  ]
  for (const [path, value] of cases) t.same(after(path, value), [], path)
})

t.test('the published document is complete and compares with itself', async (t) => {
  const read = (name: string) =>
    JSON.parse(readFileSync(new URL(`../../openapi/${name}.json`, import.meta.url), 'utf8')) as Document
  const [published, current] = [read('published'), read('openapi')]
  t.same(breakingChanges(published, published), [])
  const operationCount = Object.values(published.paths ?? {}).flatMap((item) => Object.keys(item)).length
  t.ok(operationCount >= 28)
  t.ok(
    breakingChanges(published, { ...current, paths: {} }).length >= operationCount,
    'and taking everything away is seen',
  )
})
