import type { ErrorObject, ValidateFunction } from 'ajv'
import type { FastifyInstance, FastifySchemaValidationError } from 'fastify'
import type { FastifyValidationResult } from 'fastify/types/schema.js'
import type { FieldIssue } from '#platform/problem.ts'
import { compileOnce, createValidator } from '#platform/schema.ts'
import { ValidationFailed } from './problems.ts'

const maxIssues = 100

/** Validators belong to the process: a second application, as tests build, finds them compiled. */
let compilers: ReturnType<typeof createCompilers> | undefined

function createCompilers() {
  const options = { removeAdditional: false, useDefaults: true, verbose: true } as const
  return {
    strict: compileOnce(createValidator({ ...options, coerceTypes: false })),
    coercing: compileOnce(createValidator({ ...options, coerceTypes: 'array' })),
  }
}

/**
 * Bodies are validated as they came: nothing is coerced, nothing removed. Query and path parameters are text by
 * nature and are coerced to the declared types.
 */
export function validateStrictly(app: FastifyInstance): void {
  compilers ??= createCompilers()
  const { strict, coercing } = compilers
  app.setValidatorCompiler(({ schema, httpPart }) => {
    // The schema of headers documents them; each is read, with its own problem, where it matters.
    if (httpPart === 'headers') return () => true
    return compileLater(httpPart === 'body' ? strict : coercing, schema as object)
  })
  reconcileBodies(app)
  app.setSchemaErrorFormatter((errors, part) => {
    const issues = (errors as unknown as ErrorObject[])
      .filter(isTelling)
      .slice(0, maxIssues)
      .map((e) => issueOf(e, part))
    const [first] = issues
    const detail = first ? `${first.field || part}: ${first.message}` : 'The request does not match its schema'
    return new ValidationFailed({ detail, errors: issues })
  })
}

/** Compiled with the first request: all of them at once would take as long as the rest of a start. */
function compileLater(compile: (schema: object) => ValidateFunction, schema: object): FastifyValidationResult {
  let compiled: ValidateFunction | undefined
  const validate: FastifyValidationResult = (input: unknown) => {
    compiled ??= compile(schema)
    const isValid = compiled(input)
    validate.errors = (compiled.errors ?? null) as FastifySchemaValidationError[] | null
    return isValid
  }
  return validate
}

/** A body that the operation does not read is refused rather than ignored; no body is as good as an empty object. */
function reconcileBodies(app: FastifyInstance): void {
  app.addHook('preValidation', async (request) => {
    const { body, routeOptions } = request
    const isRead = routeOptions.schema?.body !== undefined
    if (body === undefined && isRead) request.body = {}
    if (body === undefined || isRead) return
    const isEmpty = typeof body === 'object' && body !== null && !Array.isArray(body) && Object.keys(body).length === 0
    if (!isEmpty) throw new ValidationFailed({ detail: 'This operation takes no body' })
  })
}

/** Leaves out the noise of `null or …` and `one of …`: the entry that names the real cause stays. */
const isTelling = (error: ErrorObject, _index: number, all: readonly ErrorObject[]): boolean => {
  const isNullBranch = error.keyword === 'type' && error.params.type === 'null'
  return all.length === 1 || !(isNullBranch || error.keyword === 'anyOf' || error.keyword === 'if')
}

const codes: Readonly<Record<string, string>> = {
  required: 'REQUIRED',
  additionalProperties: 'UNKNOWN_FIELD',
  type: 'WRONG_TYPE',
  enum: 'NOT_ALLOWED',
  const: 'NOT_ALLOWED',
  minimum: 'TOO_SMALL',
  exclusiveMinimum: 'TOO_SMALL',
  maximum: 'TOO_LARGE',
  minLength: 'TOO_SHORT',
  maxLength: 'TOO_LONG',
  minItems: 'TOO_FEW',
  maxItems: 'TOO_MANY',
  minProperties: 'TOO_FEW',
  maxProperties: 'TOO_MANY',
  uniqueItems: 'DUPLICATE',
  pattern: 'WRONG_FORMAT',
  format: 'WRONG_FORMAT',
  propertyNames: 'WRONG_FORMAT',
  dependentRequired: 'REQUIRED',
}

function issueOf(error: ErrorObject, part: string): FieldIssue {
  const missing = error.params.missingProperty as string | undefined
  const unknown = error.params.additionalProperty as string | undefined
  const extra = missing ?? unknown
  const pointer = extra === undefined ? error.instancePath : `${error.instancePath}/${escapePointer(extra)}`
  const suggestion = unknown === undefined ? meantValue(error) : closest(unknown, Object.keys(propertiesOf(error)))
  return {
    field: fieldOf(pointer),
    pointer,
    code: codes[error.keyword] ?? 'INVALID',
    message: messageOf(error, part),
    ...(suggestion === undefined ? {} : { suggestion }),
  }
}

function messageOf(error: ErrorObject, part: string): string {
  if (error.keyword === 'required') return 'is required'
  if (error.keyword === 'additionalProperties')
    return part === 'querystring' ? 'is not a parameter here' : 'is not a field here'
  if (error.keyword === 'enum') return `must be one of ${(error.params.allowedValues as unknown[]).join(', ')}`
  return error.message ?? 'is not valid'
}

const escapePointer = (name: string): string => name.replaceAll('~', '~0').replaceAll('/', '~1')

/** `/lines/0/quantity` → `lines[0].quantity` */
function fieldOf(pointer: string): string {
  return pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce((path, part) => (/^\d+$/.test(part) ? `${path}[${part}]` : path === '' ? part : `${path}.${part}`), '')
}

const propertiesOf = (error: ErrorObject): object =>
  ((error.parentSchema as { properties?: object } | undefined)?.properties ?? {}) as object

function meantValue({ keyword, data, params }: ErrorObject): string | undefined {
  if (keyword !== 'enum' || typeof data !== 'string') return undefined
  return closest(
    data,
    (params.allowedValues as unknown[]).filter((value) => typeof value === 'string'),
  )
}

function closest(name: string, candidates: readonly string[]): string | undefined {
  const limit = name.length <= 3 ? 1 : 2
  return candidates
    .map((candidate) => ({ candidate, distance: editDistance(name.toLowerCase(), candidate.toLowerCase()) }))
    .filter(({ distance }) => distance <= limit)
    .sort((a, b) => a.distance - b.distance)[0]?.candidate
}

/** Levenshtein distance; names longer than 64 characters are never close. */
function editDistance(a: string, b: string): number {
  if (a.length > 64 || Math.abs(a.length - b.length) > 2) return Number.POSITIVE_INFINITY
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let row = 1; row <= a.length; row++) {
    const current = [row]
    for (let column = 1; column <= b.length; column++) {
      const substitution = (previous[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1)
      current.push(Math.min(substitution, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1))
    }
    previous = current
  }
  return previous[b.length] ?? Number.POSITIVE_INFINITY
}
