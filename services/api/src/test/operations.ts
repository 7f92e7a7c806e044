import { document } from './contract-check.ts'

/** The part of JSON Schema that the published document uses. */
export interface JsonSchema {
  readonly $ref?: string
  readonly type?: string | readonly string[]
  readonly enum?: readonly unknown[]
  readonly format?: string
  readonly pattern?: string
  readonly minLength?: number
  readonly maxLength?: number
  readonly minimum?: number
  readonly maximum?: number
  readonly minItems?: number
  readonly maxItems?: number
  readonly uniqueItems?: boolean
  readonly minProperties?: number
  readonly maxProperties?: number
  readonly items?: JsonSchema
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly required?: readonly string[]
  readonly dependentRequired?: Readonly<Record<string, readonly string[]>>
  readonly propertyNames?: JsonSchema
  readonly additionalProperties?: boolean | JsonSchema
  readonly anyOf?: readonly JsonSchema[]
  readonly examples?: readonly unknown[]
}

export interface Parameter {
  readonly name: string
  readonly in: 'path' | 'query' | 'header'
  readonly required?: boolean
  readonly schema: JsonSchema
}

export interface Operation {
  readonly id: string
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** As documented: `/v1/orders/{orderId}`. */
  readonly path: string
  readonly parameters: readonly Parameter[]
  readonly body: JsonSchema | null
  /** Every documented status. */
  readonly statuses: readonly number[]
  readonly errorCodes: readonly string[]
  /** Null: every valid credential will do. */
  readonly scope: string | null
  readonly isPublic: boolean
  readonly idempotency: 'required' | 'optional' | 'none'
  readonly isPaginated: boolean
  /** Its answer has no end. */
  readonly isStream: boolean
}

interface Source {
  readonly operationId: string
  readonly parameters?: readonly Parameter[]
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: JsonSchema }>> }
  readonly responses: Readonly<Record<string, unknown>>
  readonly security?: readonly unknown[]
  readonly 'x-scope'?: string
  readonly 'x-idempotency'?: Operation['idempotency']
  readonly 'x-pagination'?: string
  readonly 'x-stream'?: string
  readonly 'x-error-codes'?: readonly string[]
}

/** Every operation of the published document, in its order. */
export const operations: readonly Operation[] = Object.entries(document.paths).flatMap(([path, item]) =>
  Object.entries(item).map(([method, source]) => readOperation(path, method, source as unknown as Source)),
)

function readOperation(path: string, method: string, source: Source): Operation {
  return {
    id: source.operationId,
    method: method.toUpperCase() as Operation['method'],
    path,
    parameters: source.parameters ?? [],
    body: source.requestBody?.content['application/json']?.schema ?? null,
    statuses: Object.keys(source.responses).map(Number),
    errorCodes: source['x-error-codes'] ?? [],
    scope: source['x-scope'] ?? null,
    isPublic: source.security?.length === 0,
    idempotency: source['x-idempotency'] ?? 'none',
    isPaginated: source['x-pagination'] === 'cursor',
    isStream: source['x-stream'] !== undefined,
  }
}

export const parametersIn = (operation: Operation, place: Parameter['in']): readonly Parameter[] =>
  operation.parameters.filter((parameter) => parameter.in === place)

export const takesHeader = (operation: Operation, name: string): boolean =>
  parametersIn(operation, 'header').some((parameter) => parameter.name.toLowerCase() === name)

/** Follows references, and chooses the branch that is not null. */
export function resolve(schema: JsonSchema): JsonSchema {
  if (schema.$ref !== undefined) {
    const found = document.components.schemas[schema.$ref.split('/').at(-1) ?? '']
    if (found === undefined) throw new Error(`${schema.$ref} is not in the document`)
    return resolve(found as JsonSchema)
  }
  const branch = schema.anyOf?.find(({ type }) => type !== 'null')
  return branch === undefined ? schema : resolve(branch)
}

/** The JSON types a schema lets in. */
export function typesOf(schema: JsonSchema): readonly string[] {
  if (schema.anyOf !== undefined) return schema.anyOf.flatMap(typesOf)
  if (schema.$ref !== undefined) return typesOf(resolve(schema))
  return [schema.type ?? []].flat()
}
