import {
  type Content,
  type Document,
  type OperationObject,
  type Parameter,
  pascalCase,
  resolve,
  type Schema,
  sorted,
} from './document.ts'

/** One method of the SDK, as the templates need it. Types are TypeScript expressions over generated/types.ts. */
export interface Operation {
  readonly id: string
  readonly resource: string
  readonly method: string
  /** `orders.place POST /v1/orders`, then `public` (no credential) and `keyless` (no idempotency key). */
  readonly descriptor: string
  readonly pathParameters: readonly { readonly name: string; readonly type: string }[]
  /** The body of a mutation, the query of a read; `undefined` where there is neither. */
  readonly params: { readonly type: string; readonly required: boolean; readonly isBody: boolean } | undefined
  readonly result: { readonly type: string; readonly shape: 'data' | 'list' | 'table' | 'stream' }
  readonly requiresIfMatch: boolean
  readonly object: OperationObject
}

export interface Model {
  readonly operations: readonly Operation[]
  /** The document's components plus a named schema for each query and each inline body or result. */
  readonly schemas: Readonly<Record<string, Schema>>
}

const httpMethods = ['get', 'head', 'post', 'put', 'patch', 'delete'] as const
const queryMethods: readonly string[] = ['get', 'head', 'delete']

/** Reads every operation that has an id; throws one error that lists whatever the SDK cannot express. */
export function readModel(document: Document): Model {
  const schemas: Record<string, Schema> = { ...document.components?.schemas }
  const operations: Operation[] = []
  const problems: string[] = []
  for (const [path, item] of Object.entries(document.paths ?? {})) {
    for (const httpMethod of httpMethods) {
      const object = item[httpMethod] as OperationObject | undefined
      if (object === undefined || !isOffered(object)) continue
      const shared = (item.parameters ?? []) as readonly Parameter[]
      try {
        operations.push(readOperation({ document, schemas, path, httpMethod, object, shared }))
      } catch (error) {
        problems.push(`${object.operationId}: ${(error as Error).message}`)
      }
    }
  }
  if (problems.length > 0) throw new Error(`no SDK can be generated:\n  ${problems.join('\n  ')}`)
  operations.sort((a, b) => (a.id < b.id ? -1 : 1))
  return {
    operations,
    schemas: Object.fromEntries(sorted(Object.keys(schemas)).map((name) => [name, schemas[name] as Schema])),
  }
}

/** `x-sdk: false` keeps an operation out. */
export function isOffered(object: OperationObject): boolean {
  return object.operationId !== undefined && object['x-sdk'] !== false
}

interface Source {
  readonly document: Document
  readonly schemas: Record<string, Schema>
  readonly path: string
  readonly httpMethod: string
  readonly object: OperationObject
  readonly shared: readonly Parameter[]
}

function readOperation(source: Source): Operation {
  const { document, object, httpMethod, path } = source
  const id = object.operationId ?? ''
  const [, resource, method] = /^([a-z][A-Za-z0-9]*)\.([a-z][A-Za-z0-9]*)$/.exec(id) ?? []
  if (resource === undefined || method === undefined) throw new Error('the operationId must look like orders.place')
  if (['constructor', 'transport', 'toString', 'valueOf'].includes(method))
    throw new Error(`${method} cannot be a method name`)
  const parameters = [...source.shared, ...(object.parameters ?? [])].map((parameter) => resolve(document, parameter))
  const ifMatch = parameters.find(
    (parameter) => parameter.in === 'header' && parameter.name.toLowerCase() === 'if-match',
  )
  const security = object.security ?? document.security
  const isPublic = security?.length === 0
  const isKeyless = httpMethod !== 'get' && httpMethod !== 'head' && object['x-idempotency'] === 'none'
  return {
    id,
    resource,
    method,
    descriptor: [id, httpMethod.toUpperCase(), path, isPublic && 'public', isKeyless && 'keyless']
      .filter(Boolean)
      .join(' '),
    pathParameters: readPathParameters(source, parameters),
    params: readParams(source, parameters, id),
    result: readResult(source, id),
    requiresIfMatch: ifMatch?.required === true,
    object,
  }
}

function readPathParameters({ document, path }: Source, parameters: readonly Parameter[]) {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => {
    const parameter = parameters.find((candidate) => candidate.in === 'path' && candidate.name === name)
    if (parameter === undefined) throw new Error(`the path parameter ${name} is not declared`)
    const { type } = resolve(document, parameter.schema ?? {})
    return { name, type: type === 'integer' || type === 'number' ? 'number' : 'string' }
  })
}

function readParams(source: Source, parameters: readonly Parameter[], id: string): Operation['params'] {
  // Where a stream begins is an option of it: it changes with every connection.
  const isStream = source.object['x-stream'] !== undefined
  const query = parameters.filter(({ in: place, name }) => place === 'query' && !(isStream && name === 'after'))
  const takesQuery = queryMethods.includes(source.httpMethod)
  if (source.object.requestBody === undefined) {
    if (query.length === 0) return undefined
    if (!takesQuery) throw new Error('a query on a mutation is not supported; put its fields into the body')
    const required = query.filter(isRequired).map((parameter) => parameter.name)
    return {
      type: declare(source, id, 'Params', querySchema(query, required)),
      required: required.length > 0,
      isBody: false,
    }
  }
  if (takesQuery) throw new Error(`a body on ${source.httpMethod.toUpperCase()} is not supported`)
  if (query.length > 0) throw new Error('a query beside a body is not supported; put its fields into the body')
  const body = resolve(source.document, source.object.requestBody)
  const schema = body.content?.['application/json']?.schema
  if (schema === undefined)
    throw new Error('only application/json bodies are supported; mark the operation x-sdk: false')
  return { type: typeOf(source, id, 'Body', schema), required: hasRequired(source.document, schema), isBody: true }
}

/** What has a default need not be sent, whatever `required` says. */
function isRequired({ required, schema }: Parameter): boolean {
  return required === true && schema?.default === undefined
}

function querySchema(query: readonly Parameter[], required: readonly string[]): Schema {
  const properties = query.map(({ name, description, deprecated, schema }): [string, Schema] => [
    name,
    { ...schema, ...(description && { description }), ...(deprecated && { deprecated }) },
  ])
  return { type: 'object', additionalProperties: false, required, properties: Object.fromEntries(properties) }
}

function hasRequired(document: Document, reference: Schema): boolean {
  const schema = resolve(document, reference)
  const isObject = schema.properties !== undefined || schema.type === 'object' || schema.allOf !== undefined
  return (
    !isObject || (schema.required?.length ?? 0) > 0 || (schema.allOf ?? []).some((part) => hasRequired(document, part))
  )
}

function readResult(source: Source, id: string): Operation['result'] {
  const { document, object } = source
  const successes = Object.entries(object.responses ?? {}).filter(([status]) => /^2/.test(status))
  const types = new Set<string>()
  if (object['x-stream'] !== undefined) return readStreamResult(source, id, successes[0]?.[1])
  const pagination = object['x-pagination']
  const shape = pagination === undefined ? 'data' : pagination === 'offset' ? 'table' : 'list'
  for (const [, reference] of successes) {
    const { content } = resolve(document, reference)
    if (content === undefined || Object.keys(content).length === 0) {
      types.add('void')
      continue
    }
    const envelope = content['application/json']?.schema
    if (envelope === undefined) throw new Error('only JSON answers are supported; mark the operation x-sdk: false')
    const data = property(document, envelope, 'data')
    if (data === undefined)
      throw new Error('a success answer is an envelope with `data`; mark other operations x-sdk: false')
    if (shape === 'data') types.add(typeOf(source, id, 'Result', data))
    else types.add(typeOf(source, id, 'Item', resolve(document, data).items ?? {}))
  }
  if (types.size === 0) throw new Error('there is no success answer')
  return { type: [...types].join(' | '), shape }
}

function readStreamResult(source: Source, id: string, reference: Content | undefined): Operation['result'] {
  const schema = reference && resolve(source.document, reference).content?.['text/event-stream']?.schema
  if (schema === undefined) throw new Error('a stream answers text/event-stream')
  return { type: typeOf(source, id, 'Item', schema), shape: 'stream' }
}

function property(document: Document, reference: Schema, name: string): Schema | undefined {
  const schema = resolve(document, reference)
  const inParts = () => schema.allOf?.map((part) => property(document, part, name)).find((part) => part !== undefined)
  return schema.properties?.[name] ?? inParts()
}

/** A TypeScript expression for a schema; whatever has no name yet gets one, `OrdersQuoteResult` for instance. */
function typeOf(source: Source, id: string, suffix: string, schema: Schema): string {
  if (schema.$ref !== undefined) return schema.$ref.replace('#/components/schemas/', '')
  if (schema.type === 'array' && schema.items !== undefined) return `${typeOf(source, id, suffix, schema.items)}[]`
  return declare(source, id, suffix, schema)
}

function declare(source: Source, id: string, suffix: string, schema: Schema): string {
  const name = `${id.split('.').map(pascalCase).join('')}${suffix}`
  const known = source.schemas[name]
  if (known !== undefined && JSON.stringify(known) !== JSON.stringify(schema))
    throw new Error(`${name} is already a component`)
  source.schemas[name] = schema
  return name
}
