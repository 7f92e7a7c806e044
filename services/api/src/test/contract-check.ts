import { readFileSync } from 'node:fs'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { compileOnce } from '#platform/schema.ts'

interface Response {
  readonly content?: Readonly<Record<string, { readonly schema: object }>>
}
interface Operation {
  readonly operationId: string
  readonly responses: Readonly<Record<string, Response | { readonly $ref: string }>>
}
interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: {
    readonly schemas: Readonly<Record<string, object>>
    readonly responses: Readonly<Record<string, Response>>
  }
}

export const document = JSON.parse(
  readFileSync(new URL('../../../../openapi/openapi.json', import.meta.url), 'utf8'),
) as Document

/** Each component is compiled once, when it is first referred to, and its code is not made any shorter. */
const ajv = new Ajv2020({ strict: false, allErrors: true, inlineRefs: false, code: { optimize: false } })
addFormats.default(ajv)
for (const [name, schema] of Object.entries(document.components.schemas))
  ajv.addSchema(withReferences(schema), `contract:${name}`, undefined, false)

/** The same schema, whose references name the components as the validator knows them. */
function withReferences(schema: object): object {
  return JSON.parse(JSON.stringify(schema).replaceAll('"#/components/schemas/', '"contract:'))
}

interface Answered {
  readonly status: number
  readonly headers: object
  readonly body: unknown
  readonly text: string
}

const templates = Object.keys(document.paths)
  .map((path) => ({
    path,
    pattern: new RegExp(`^${path.replace(/\{[^}]+\}/g, '[^/]+')}$`),
    variables: path.split('{').length,
  }))
  .sort((a, b) => a.variables - b.variables)

/** Pairs of operation and status that answers have shown in this process. */
export const producedPairs = new Set<string>()

/**
 * Holds an answer against the published document: the status must be documented for the operation, and the body valid.
 * Addresses and methods outside the document must answer with a problem or belong to the service's own pages.
 */
export function checkAgainstContract(method: string, url: string, answer: Answered): void {
  const path = url.split('?', 1)[0] ?? ''
  const template = templates.find(({ pattern }) => pattern.test(path))
  const operation = template && document.paths[template.path]?.[method.toLowerCase()]
  if (operation) checkDocumented(operation, answer)
  else checkForeign(path, answer)
}

function checkDocumented(operation: Operation, answer: Answered): void {
  const response = responseOf(operation, answer.status)
  if (!response)
    throw new Error(
      `${operation.operationId} answered ${answer.status}, which is not documented: ${answer.text.slice(0, 300)}`,
    )
  producedPairs.add(`${operation.operationId} ${answer.status}`)
  const [type, content] = Object.entries(response.content ?? {})[0] ?? []
  if (!type || !content) {
    if (answer.text !== '') throw new Error(`${operation.operationId} ${answer.status} has a body`)
    return
  }
  const sent = String((answer.headers as Record<string, unknown>)['content-type'] ?? '')
  if (!sent.startsWith(type)) throw new Error(`${operation.operationId} ${answer.status} is ${sent}, not ${type}`)
  // A stream is not over: its events are held against the list's.
  const problems =
    type === 'text/event-stream' ? null : errorsOf(content.schema, /json\b/.test(type) ? answer.body : answer.text)
  if (problems) throw new Error(`${operation.operationId} ${answer.status} breaks the contract: ${problems}`)
}

function responseOf(operation: Operation, status: number): Response | undefined {
  const response = operation.responses[status]
  if (response === undefined || !('$ref' in response)) return response
  return document.components.responses[response.$ref.split('/').at(-1) ?? '']
}

function checkForeign(path: string, { status, body }: { status: number; body: unknown }): void {
  if (!path.startsWith('/v1') || status < 400) return
  const problems = errorsOf({ $ref: '#/components/schemas/Problem' }, body)
  if (problems) throw new Error(`${path} answered ${status} without a problem body: ${problems}`)
}

const compiled = new Map<object, ValidateFunction>()
const compileText = compileOnce(ajv)

function errorsOf(schema: object, body: unknown): string | null {
  const validate = compiled.get(schema) ?? compile(schema)
  return validate(body) ? null : ajv.errorsText(validate.errors)
}

/** Nine answers of ten have the same schema, each its own copy of it. */
function compile(schema: object): ValidateFunction {
  const validate = compileText(withReferences(schema))
  compiled.set(schema, validate)
  return validate
}
