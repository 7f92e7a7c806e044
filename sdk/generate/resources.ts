import { type Document, kebabCase, pascalCase, sorted } from './document.ts'
import type { Model, Operation } from './operations.ts'

/** Never the name of a component: `Stock` may be one. */
const className = (resource: string): string => `${pascalCase(resource)}Resource`

const pageTypes = ['List', 'TablePage']
const streamTypes = ['EventStream', 'StreamOptions', 'UnknownEvent']
const coreTypes = ['Call', 'CallOptions', 'IfMatch', 'NoParams', ...pageTypes, ...streamTypes]

/** What a method returns and how the transport is asked for it. */
const shapes = {
  data: { method: 'call', returns: (type: string) => `Call<${type}>` },
  list: { method: 'list', returns: (type: string) => `List<${type}>` },
  table: { method: 'table', returns: (type: string) => `Call<TablePage<${type}>>` },
  stream: { method: 'stream', returns: (type: string) => `EventStream<${type} | UnknownEvent>` },
} as const

/** One file per resource plus the index that a client is built from, by path below generated/resources. */
export function renderResources(document: Document, model: Model): Map<string, string> {
  const byResource = Map.groupBy(model.operations, (operation) => operation.resource)
  const files = new Map<string, string>()
  for (const [name, operations] of byResource)
    files.set(`${kebabCase(name)}.ts`, renderResource(name, describe(document, operations), operations, model))
  files.set('index.ts', renderIndex(document, byResource))
  return files
}

/** The description of the tag that all operations of a resource share. */
function describe(document: Document, operations: readonly Operation[]): string {
  const tag = operations[0]?.object.tags?.[0]
  const isShared = operations.every((operation) => operation.object.tags?.[0] === tag)
  return (isShared && document.tags?.find((candidate) => candidate.name === tag)?.description) || ''
}

function renderIndex(document: Document, byResource: ReadonlyMap<string, readonly Operation[]>): string {
  const names = sorted(byResource.keys())
  const imports = names.map((name) => `import { ${className(name)} } from './${kebabCase(name)}.ts'`)
  const fields = names.map((name) => {
    const text = describe(document, byResource.get(name) ?? [])
    return `${comment(text === '' ? [] : [text], '  ')}  readonly ${name}: ${className(name)}`
  })
  const assignments = names.map((name) => `    this.${name} = new ${className(name)}(transport)`)
  return `import type { Transport } from '../../transport.ts'
${imports.join('\n')}

/** Every resource of the API, bound to one transport. */
export class Resources {
${fields.join('\n')}

  constructor(transport: Transport) {
${assignments.join('\n')}
  }
}

export type { ${names.map(className).join(', ')} }
`
}

function renderResource(name: string, text: string, operations: readonly Operation[], model: Model): string {
  const general = generalCodes(model.operations)
  const methods = operations.map((operation) => renderMethod(operation, general)).join('\n')
  const used = new Set(methods.match(/\b[A-Z]\w*\b/g))
  const types = sorted(Object.keys(model.schemas).filter((schema) => used.has(schema) && isTypeOf(operations, schema)))
  const core = coreTypes.filter((type) => new RegExp(`\\b${type}\\b`).test(operations.map(signature).join('\n')))
  const clash = core.filter((type) => types.includes(type))
  if (clash.length > 0) throw new Error(`components must not be named ${clash.join(', ')}: these are types of the SDK`)
  const importTypes = types.length === 0 ? '' : `import type { ${types.join(', ')} } from '../types.ts'\n`
  const fromCall = core.filter((type) => !pageTypes.includes(type) && !streamTypes.includes(type))
  const fromPage = core.filter((type) => pageTypes.includes(type))
  const fromStream = core.filter((type) => streamTypes.includes(type))
  const importList = importOf(fromPage, 'page')
  const importStream = importOf(fromStream, 'stream')
  return `import type { ${fromCall.join(', ')} } from '../../call.ts'
${importList}${importStream}import { Resource } from '../../transport.ts'
${importTypes}
${comment(text === '' ? [] : [text], '')}export class ${className(name)} extends Resource {
${methods}}
`
}

const importOf = (types: readonly string[], file: string): string =>
  types.length === 0 ? '' : `import type { ${types.join(', ')} } from '../../${file}.ts'\n`

function isTypeOf(operations: readonly Operation[], schema: string): boolean {
  const word = new RegExp(`\\b${schema}\\b`)
  return operations.some((operation) => word.test(`${operation.params?.type} ${operation.result.type}`))
}

function signature({ pathParameters, params, result, requiresIfMatch }: Operation): string {
  const ids = pathParameters.map(({ name, type }) => `${name}: ${type}`)
  const type = result.shape === 'stream' ? 'StreamOptions' : 'CallOptions'
  const options = requiresIfMatch ? `options: ${type} & IfMatch` : `options?: ${type}`
  const returns = shapes[result.shape].returns(result.type)
  return `(${[...ids, renderParams(params, requiresIfMatch), options].join(', ')}): ${returns}`
}

/** A body of optional fields is sent as `{}` when left out; parameters before required options cannot be optional. */
function renderParams(params: Operation['params'], isFollowed: boolean): string {
  if (params?.required) return `params: ${params.type}`
  if (params?.isBody) return `params: ${params.type} = {}`
  const type = params?.type ?? 'NoParams'
  return isFollowed ? `params: ${type} | undefined` : `params?: ${type}`
}

function renderMethod(operation: Operation, general: ReadonlySet<string>): string {
  const { descriptor, method, pathParameters, result } = operation
  const values = [`'${descriptor}'`, 'params', 'options', ...pathParameters.map(({ name }) => name)]
  return `${comment(documentation(operation, general), '  ')}  ${method}${signature(operation)} {
    return this.transport.${shapes[result.shape].method}(${values.join(', ')})
  }
`
}

function documentation({ object, requiresIfMatch }: Operation, general: ReadonlySet<string>): string[] {
  const { summary = '', description = '' } = object
  const codes = (object['x-error-codes'] ?? []).filter((code) => !general.has(code))
  const paragraphs = [description.startsWith(summary) ? '' : summary, description]
  if (requiresIfMatch) paragraphs.push('`options.ifMatch` is the version you read: another one in between is refused.')
  if (codes.length > 0)
    paragraphs.push(
      `Fails with ${sorted(codes)
        .map((code) => `\`${code}\``)
        .join(', ')}.`,
    )
  const stability = object['x-stability']
  if (stability !== undefined && stability !== 'stable') paragraphs.push(`@${stability}`)
  if (object.deprecated) paragraphs.push('@deprecated')
  return paragraphs.filter((paragraph) => paragraph !== '')
}

/** What at least a quarter of all operations may answer says little about one of them. */
function generalCodes(operations: readonly Operation[]): ReadonlySet<string> {
  const counts = Map.groupBy(
    operations.flatMap(({ object }) => object['x-error-codes'] ?? []),
    (code) => code,
  )
  return new Set([...counts].filter(([, uses]) => uses.length * 4 >= operations.length).map(([code]) => code))
}

function comment(paragraphs: readonly string[], indent: string): string {
  if (paragraphs.length === 0) return ''
  const lines = paragraphs.join('\n\n').replaceAll('*/', '*\\/').trim().split('\n')
  if (lines.length === 1) return `${indent}/** ${lines[0]} */\n`
  return `${indent}/**\n${lines.map((line) => `${indent} * ${line}`.trimEnd()).join('\n')}\n${indent} */\n`
}
