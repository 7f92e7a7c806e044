import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { root } from '../run.ts'
import { type Declaration, reachable, readDeclarations } from './declarations.ts'

const begin = '<!-- operations -->'
const end = '<!-- /operations -->'
const features = path.join(root, 'services/api/src/features')

interface Operation {
  readonly id: string
  readonly route: string
}

/** Rewrites the table operation → file → tables of the README, between its markers. */
export async function generateOperations(): Promise<void> {
  const readme = path.join(root, 'README.md')
  const text = await readFile(readme, 'utf8')
  const [before, rest] = text.split(begin)
  const after = rest?.split(end)[1]
  if (before === undefined || after === undefined) throw new Error(`README.md lacks ${begin} and ${end}`)
  await writeFile(readme, `${before}${begin}\n\n${await operationTable()}\n\n${end}${after}`)
}

/** One row per operation of the published document. */
export async function operationTable(): Promise<string> {
  const [operations, declarations, tables] = await Promise.all([
    readOperations(),
    readDeclarations(features),
    readTables(),
  ])
  const rows = operations.flatMap(({ id, route }) => {
    const routes = declarations.find(({ file, text }) => file.endsWith('/routes.ts') && text.includes(`id: '${id}'`))
    if (routes === undefined) return []
    const callees = ['handle(?:Group)?', 'prepareGroup'].flatMap((name) => calledBy(name, routes, id, declarations))
    const [handler] = callees
    if (handler === undefined) throw new Error(`${routes.file} handles ${id} in a way that is not understood`)
    const link = `[${handler.file}](services/api/src/features/${handler.file})`
    const touched = tablesOf(
      callees.flatMap((callee) => reachable(callee, declarations)),
      tables,
    )
    return [`| \`${id}\` | \`${route}\` | ${link} | ${touched.map((table) => `\`${table}\``).join(', ')} |`]
  })
  return ['| operation | request | file | tables |', '|---|---|---|---|', ...rows].join('\n')
}

async function readOperations(): Promise<readonly Operation[]> {
  const document = JSON.parse(await readFile(path.join(root, 'openapi/openapi.json'), 'utf8')) as {
    paths: Record<string, Record<string, { operationId?: string }>>
  }
  return Object.entries(document.paths).flatMap(([url, methods]) =>
    Object.entries(methods).flatMap(([method, { operationId }]) =>
      operationId === undefined ? [] : [{ id: operationId, route: `${method.toUpperCase()} ${url}` }],
    ),
  )
}

async function readTables(): Promise<readonly string[]> {
  const text = await readFile(path.join(root, 'services/api/src/platform/tables.gen.ts'), 'utf8')
  const [, body = ''] = /export interface DB \{(.*?)\}/s.exec(text) ?? []
  return [...body.matchAll(/^\s+(\w+):/gm)].flatMap(([, table]) => (table === undefined ? [] : [table]))
}

/** What a property of the route's definition calls: of `handle` the operation, of `prepareGroup` its first reads. */
function calledBy(property: string, routes: Declaration, id: string, all: readonly Declaration[]): Declaration[] {
  const [definition = ''] = routes.text.slice(routes.text.indexOf(`id: '${id}'`)).split(/\n {2}app\.route\(/)
  const start = definition.search(new RegExp(`\\b${property}:`))
  if (start < 0) return []
  const rest = definition.slice(start)
  // Either the function itself or an arrow function that calls it.
  const called = /^\w+: (\w+)\s*[,}]/.exec(rest)?.[1] ?? /=>\s*(?:await\s+)?(\w+)\(/.exec(rest)?.[1]
  const named = all.filter(({ feature, name }) => feature === routes.feature && name === called)
  // An operation may be called like the query that it makes.
  const found = named.find(({ file }) => !file.endsWith('repository.ts')) ?? named[0]
  if (found === undefined) throw new Error(`no file of ${routes.feature} defines ${called}, which answers ${id}`)
  return [found]
}

/** The tables that repositories among these declarations name, and the ledger where an event is recorded. */
function tablesOf(declarations: readonly Declaration[], tables: readonly string[]): readonly string[] {
  const isRecorded = declarations.some(({ text }) => /\bwork\.record\(/.test(text))
  const repositories = declarations.filter(({ file }) => file.endsWith('repository.ts'))
  const code = repositories.map(({ text }) => text).join('\n')
  return tables.filter((table) => {
    const inSql = new RegExp(`\\b(?:from|into|update|join|only)\\s+${table}\\b|null::${table}\\b`)
    const inBuilder = new RegExp(`(?:From|Into|Table|Join|selectFrom|deleteFrom)\\(\\[?'${table}\\b`)
    return inSql.test(code) || inBuilder.test(code) || (table === 'ledger' && isRecorded)
  })
}
