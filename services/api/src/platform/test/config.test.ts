import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import t from 'tap'
import { ConfigError, ConfigSchema, corsOrigins, loadConfig, trustedProxies } from '#platform/config.ts'

type Env = Readonly<Record<string, string | undefined>>

function problemsOf(env: Env): readonly string[] {
  try {
    loadConfig(env)
    return []
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
}

const production: Env = {
  NODE_ENV: 'production',
  DATABASE_URL: 'postgres://app@db/purser',
  SIGNING_SECRET: 'a secret of this production',
  ENCRYPTION_KEY: Buffer.alloc(32, 7).toString('base64'),
  LEDGER_SIGNING_KEY: randomBytes(32).toString('base64'),
  CORS_ORIGINS: 'https://shop.example',
}

t.test('an empty environment is a demo on this machine alone', async (t) => {
  const config = loadConfig({})
  t.match(config, {
    NODE_ENV: 'development',
    PORT: 3000,
    HOST: '127.0.0.1',
    LOG_LEVEL: 'info',
    RATE_LIMIT_PER_KEY: 6_000,
  })
  t.ok(config.DB_POOL_SIZE >= 10)
  t.ok(Object.isFrozen(config))
  t.equal(loadConfig({ DATABASE_URL: 'postgres://x/y' }).HOST, '0.0.0.0')
  t.equal(loadConfig({ DATABASE_URL: 'postgres://x/y', HOST: '::1' }).HOST, '::1')
})

t.test('an empty variable counts as unset, an unknown one as none of its business', async (t) => {
  t.equal(loadConfig({ PORT: '', LOG_LEVEL: '', PATH: '/bin', LD_PRELOAD: 'x' }).PORT, 3000)
})

t.test('lists every malformed, missing or contradicting variable at once', async (t) => {
  const problems = problemsOf({
    NODE_ENV: 'production',
    PORT: '70000',
    LOG_LEVEL: 'loud',
    DB_POOL_SIZE: 'many',
    DATABASE_URL: 'mysql://x',
    PUBLIC_URL: 'shop.example',
    CORS_ORIGINS: 'https://shop.example/path,*',
  }).join('\n')
  for (const part of [
    'PORT must be <= 65535',
    'LOG_LEVEL',
    'DB_POOL_SIZE must be integer',
    'DATABASE_URL',
    'PUBLIC_URL',
  ])
    t.match(problems, part)
  for (const part of ['https://shop.example/path is no origin', 'SIGNING_SECRET must be set', 'must not contain *'])
    t.match(problems, part)
  t.throws(() => loadConfig({ PORT: 'x', LOG_LEVEL: 'y' }), {
    message: /^invalid configuration: .*PORT.*; .*LOG_LEVEL/,
  })
})

t.test('production needs a secret of its own, a database and a word about browsers', async (t) => {
  t.same(problemsOf(production), [])
  t.same(problemsOf({ ...production, CORS_ORIGINS: 'none' }), [])
  const cases: readonly [Env, RegExp][] = [
    [{ SIGNING_SECRET: undefined }, /SIGNING_SECRET must be set in production/],
    [{ SIGNING_SECRET: 'demo-signing-secret-not-for-production' }, /SIGNING_SECRET must be set in production/],
    [{ SIGNING_SECRET: 'short' }, /SIGNING_SECRET must NOT have fewer than 16/],
    [{ ENCRYPTION_KEY: undefined }, /ENCRYPTION_KEY must be set in production/],
    [
      { ENCRYPTION_KEY: `${Buffer.alloc(32, 7).toString('base64')},${loadConfig({}).ENCRYPTION_KEY}` },
      /without the key of the demo/,
    ],
    [{ ENCRYPTION_KEY: 'short' }, /ENCRYPTION_KEY: key 1 must be 32 bytes in base64/],
    [{ LEDGER_SIGNING_KEY: undefined }, /LEDGER_SIGNING_KEY must be set in production/],
    [{ LEDGER_SIGNING_KEY: 'c2hvcnQ=' }, /LEDGER_SIGNING_KEY: neither PKCS8 PEM nor a base64 seed of 32 bytes/],
    [{ LEDGER_SIGNING_KEY: '-----BEGIN PRIVATE KEY-----' }, /LEDGER_SIGNING_KEY: not an Ed25519 key in PKCS8 PEM/],
    [{ LEDGER_PREVIOUS_PUBLIC_KEYS: 'nonsense' }, /LEDGER_PREVIOUS_PUBLIC_KEYS: key 1 is no x of an Ed25519 key/],
    [{ CORS_ORIGINS: undefined }, /CORS_ORIGINS must list origins/],
    [{ CORS_ORIGINS: '*' }, /must not contain \*/],
    [{ CORS_ORIGINS: 'https://a.example, *' }, /must not contain \*/],
    [{ DATABASE_URL: undefined }, /DATABASE_URL is required/],
    [{ OUTBOUND_ALLOWED_NETWORKS: '10.0.0.0/8' }, /OUTBOUND_ALLOWED_NETWORKS must not be set in production/],
    [{ OUTBOUND_EXTRA_CA: '/etc/ca.pem' }, /OUTBOUND_EXTRA_CA must not be set in production/],
  ]
  for (const [change, problem] of cases) t.match(problemsOf({ ...production, ...change }).join('\n'), problem)
  t.equal(problemsOf({ NODE_ENV: 'production' }).length, 5)
})

t.test('lists are separated by commas', async (t) => {
  const config = loadConfig({ CORS_ORIGINS: ' https://a.example ,http://b:1,', TRUST_PROXY: '10.0.0.0/8, ::1' })
  t.same(corsOrigins(config), ['https://a.example', 'http://b:1'])
  t.same(trustedProxies(config), ['10.0.0.0/8', '::1'])
  t.same(corsOrigins(loadConfig({ CORS_ORIGINS: 'none' })), [])
})

t.test('.env.example names every variable with its default and meaning, in the same order', async (t) => {
  const text = readFileSync(new URL('../../../../../.env.example', import.meta.url), 'utf8')
  const entries = [...text.matchAll(/^# (.*)\n([A-Z_]+)=(.*)$/gm)].map(([, description, name, value]) => ({
    description,
    name,
    value,
  }))
  const properties = Object.entries(ConfigSchema.properties) as [string, { default?: unknown; description?: string }][]
  t.same(
    entries.map(({ name }) => name),
    properties.map(([name]) => name),
  )
  for (const [index, [name, { default: fallback, description = '' }]] of properties.entries()) {
    t.ok(entries[index]?.description?.startsWith(description), `${name}: ${description}`)
    // The pool's default depends on the machine and is left to the service.
    if (name !== 'DB_POOL_SIZE') t.equal(entries[index]?.value, String(fallback), name)
  }
})
