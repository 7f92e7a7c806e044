import { readdirSync } from 'node:fs'
import path from 'node:path'
import t from 'tap'
import { files, isGenerated, isTest, repository, valueImports } from './source-files.ts'

const linesOf = (name: string): number | undefined => files.find((file) => file.name === name)?.lines
const production = files.filter(({ name }) => !isTest(name) && !isGenerated(name))

/** The layer of a file: it may import its own and the ones before it. */
const layers = ['platform', 'http', 'features', 'composition', 'entry', 'start'] as const
function layerOf(name: string): (typeof layers)[number] {
  const [top = ''] = name.split('/')
  if (top === 'platform' || top === 'http' || top === 'features') return top
  if (top === 'start' || name === 'start.ts') return 'start'
  return ['runtime.ts', 'app.ts', 'routes.ts'].includes(name) ? 'composition' : 'entry'
}

const feature = (name: string): string | undefined => /^features\/([^/]+)\//.exec(name)?.[1]

t.test('imports point one way: platform ← http ← features ← runtime, app ← server, worker', async (t) => {
  for (const { name, imports } of production)
    for (const imported of imports) {
      const allowed = layers.indexOf(layerOf(imported)) <= layers.indexOf(layerOf(name))
      t.ok(allowed, `${name} imports ${imported}`)
    }
})

t.test('imports never go in a circle', async (t) => {
  const byName = new Map(production.map((file) => [file.name, valueImports(file)]))
  const finished = new Set<string>()
  const visit = (name: string, trail: readonly string[]): void => {
    if (trail.includes(name)) t.fail(`circle: ${[...trail.slice(trail.indexOf(name)), name].join(' → ')}`)
    if (trail.includes(name) || finished.has(name)) return
    for (const imported of byName.get(name) ?? []) visit(imported, [...trail, name])
    finished.add(name)
  }
  for (const name of byName.keys()) visit(name, [])
  t.ok(finished.size > 50, 'files were looked at')
})

t.test('a feature is entered through its index alone, and only its routes know HTTP', async (t) => {
  for (const { name, imports } of production)
    for (const imported of imports) {
      const owner = feature(imported)
      if (owner !== undefined && owner !== feature(name))
        t.match(imported, /\/index\.ts$/, `${name} imports ${imported}`)
      if (feature(name) && layerOf(imported) === 'http') t.match(name, /\/routes\.ts$/, `${name} imports ${imported}`)
    }
  for (const { name, code, lines } of production.filter((file) => /^features\/[^/]+\/index\.ts$/.test(file.name))) {
    t.ok(lines <= 20, `${name} has ${lines} lines`)
    const statements = code.replace(/export (type )?\{[^}]*\} from '[^']+'/gs, '').trim()
    t.equal(statements, '', `${name} only re-exports by name`)
  }
})

t.test('SQL stands in repositories and in the platform', async (t) => {
  const sql =
    /\bsql`|\brunSql\b|CompiledQuery\.raw|\.(selectFrom|insertInto|updateTable|deleteFrom)\(|\bclient\.query\(/
  for (const { name, code } of production) {
    const allowed =
      name.startsWith('platform/') ||
      name.endsWith('/repository.ts') ||
      layerOf(name) === 'start' ||
      name === 'migrate.ts'
    if (!allowed) t.notMatch(code, sql, `${name} holds SQL`)
  }
})

t.test('operations know neither HTTP nor the database, and catch nothing', async (t) => {
  const outside = new Set(['routes.ts', 'repository.ts', 'index.ts'])
  for (const { name, code } of production.filter((file) => feature(file.name))) {
    const base = path.basename(name)
    if (!outside.has(base)) {
      t.notMatch(code, /from '(fastify|@fastify\/[^']+)'/, `${name} imports HTTP types`)
      t.notMatch(code, /\b(work|view)\.db\b/, `${name} reaches into db`)
    }
    if (base !== 'repository.ts' && base !== 'jobs.ts') t.notMatch(code, /\btry \{/, `${name} catches`)
  }
})

t.test('the environment is read in the entry files alone', async (t) => {
  const commands = ['migrate.ts', 'provision.ts', 'dead-letters.ts', 'rotate-encryption.ts']
  const entries = new Set(['server.ts', 'worker.ts', 'start.ts', ...commands])
  for (const { name, code } of production)
    if (!entries.has(name) && layerOf(name) !== 'start') t.notMatch(code, /process\.env\b/, name)
})

t.test('files stay short, and their names say something', async (t) => {
  const banned = /^(utils?|helpers?|common|misc|manager|base|impl|data|info)\.ts$/
  for (const { name, lines } of files.filter((file) => !isGenerated(file.name))) {
    t.ok(lines <= 300, `${name} has ${lines} lines`)
    t.notMatch(path.basename(name), banned)
  }
  for (const entry of ['server.ts', 'worker.ts']) t.ok((linesOf(entry) ?? 0) <= 60, `${entry} is an entry, no more`)
  t.ok((linesOf('app.ts') ?? 0) <= 120, 'app.ts puts parts together, no more')
})

t.test('no any, enum, decorator, default export or parameter property', async (t) => {
  for (const { name, code } of production) {
    t.notMatch(code, /[:<(|]\s*any\b(?!\w)|\bas any\b/, `${name}: any`)
    t.notMatch(code, /^\s*(export )?(const )?enum /m, `${name}: enum`)
    t.notMatch(code, /^\s*@[a-zA-Z]\w*\(/m, `${name}: decorator`)
    t.notMatch(code, /^export default/m, `${name}: default export`)
  }
})

t.test('the top level holds what the README says', async (t) => {
  const present = new Set(readdirSync(repository))
  for (const name of [
    'package.json',
    'services',
    'sdk',
    'openapi',
    'migrations',
    'bench',
    'docs',
    'Dockerfile',
    '.env.example',
    'tsconfig.base.json',
  ])
    t.ok(present.has(name), name)
})
