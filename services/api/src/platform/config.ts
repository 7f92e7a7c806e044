import os from 'node:os'
import { type Static, type TObject, Type } from '@sinclair/typebox'
import { Ajv } from 'ajv'
import addFormats from 'ajv-formats'
import ipaddr from 'ipaddr.js'
import { parseEncryptionKeys } from './encryption.ts'
import { parsePrivateKey, previousPublicKeys } from './ledger-keys.ts'

const demoSigningSecret = 'demo-signing-secret-not-for-production'
const demoEncryptionKey = Buffer.from('demo-encryption-key-not-for-use!').toString('base64')

const integer = (minimum: number, maximum: number, fallback: number, description: string) =>
  Type.Integer({ minimum, maximum, default: fallback, description })
const text = (fallback: string, description: string) => Type.String({ default: fallback, description })

/** Every environment variable of the service: its type, default and meaning. Read once, in the entry files. */
export const ConfigSchema = Type.Object({
  NODE_ENV: Type.Unsafe<'development' | 'test' | 'production'>({
    type: 'string',
    enum: ['development', 'test', 'production'],
    default: 'development',
    description: 'development, test or production; production refuses demo secrets and open CORS',
  }),
  HOST: text('', 'Address to listen on; empty: 127.0.0.1 while DATABASE_URL is unset, else 0.0.0.0'),
  PORT: integer(0, 65_535, 3000, 'Port to listen on; 0 picks a free one'),
  DATA_DIR: text('.data', 'Where `npm start` keeps the embedded PostgreSQL and demo.json'),
  DATABASE_URL: text('', 'PostgreSQL 15 or later; empty: `npm start` boots an embedded one'),
  DIRECT_DATABASE_URL: text('', 'The same database past any pooler, to listen and hold locks; empty: DATABASE_URL'),
  MIGRATION_DATABASE_URL: text('', 'The same database as its owner, for migrations; empty: DATABASE_URL'),
  PUBLIC_URL: text('', 'Base of links, Location and problem types; empty: the listening address'),
  LOG_LEVEL: Type.Unsafe<'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent'>({
    type: 'string',
    enum: ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'],
    default: 'info',
    description: 'fatal, error, warn, info, debug, trace or silent',
  }),
  CORS_ORIGINS: text('', 'Comma-separated list of browser origins that may call the API; required in production'),
  TRUST_PROXY: text('', 'Comma-separated CIDR list of proxies whose X-Forwarded-* headers count; empty: none'),
  SIGNING_SECRET: Type.String({
    minLength: 16,
    default: demoSigningSecret,
    description: 'Signs list cursors; at least 16 characters, the same in every process, no default in production',
  }),
  ENCRYPTION_KEY: text(
    demoEncryptionKey,
    'Encrypts stored secrets: 32 bytes in base64; several separated by commas: the first encrypts, all decrypt; no default in production',
  ),
  LEDGER_SIGNING_KEY: text(
    '',
    'Ed25519 key that signs checkpoints: PKCS8 PEM or a base64 seed of 32 bytes; empty: made once in DATA_DIR, not in production',
  ),
  LEDGER_PREVIOUS_PUBLIC_KEYS: text('', 'Earlier keys: the x of their entries in jwks.json, separated by commas'),
  AUDIT_EXPORT_RETENTION_DAYS: integer(1, 365, 7, 'How long a finished export of the ledger can be read'),
  DB_POOL_SIZE: integer(1, 500, Math.max(10, os.availableParallelism() * 2 + 1), 'Connections per process'),
  DB_ACQUIRE_TIMEOUT_MS: integer(50, 60_000, 1_000, 'Longest wait for a connection before 503'),
  DB_QUERY_TIMEOUT_MS: integer(100, 120_000, 5_000, 'Client-side limit of one query'),
  DB_STATEMENT_TIMEOUT_MS: integer(100, 120_000, 3_000, 'Server-side limit of one statement of the API'),
  DB_LOCK_TIMEOUT_MS: integer(50, 120_000, 1_000, 'Longest wait for a row or table lock'),
  DB_IDLE_IN_TRANSACTION_TIMEOUT_MS: integer(100, 120_000, 5_000, 'Longest pause inside a transaction'),
  WORKER_STATEMENT_TIMEOUT_MS: integer(100, 600_000, 60_000, 'Server-side limit of one statement of the worker'),
  BODY_LIMIT_BYTES: integer(1_024, 16_777_216, 1_048_576, 'Largest request body'),
  HEADERS_TIMEOUT_MS: integer(100, 60_000, 5_000, 'Time a client has to send its headers'),
  REQUEST_TIMEOUT_MS: integer(100, 120_000, 15_000, 'Time a client has to send the whole request'),
  CONNECTION_CHECK_INTERVAL_MS: integer(50, 30_000, 1_000, 'How often slow connections are looked for'),
  HANDLER_TIMEOUT_MS: integer(100, 120_000, 10_000, 'Longest handling of one request before 503'),
  SHUTDOWN_GRACE_MS: integer(100, 120_000, 10_000, 'Time in-flight requests get after SIGTERM'),
  RATE_LIMIT_PER_KEY: integer(1, 100_000_000, 6_000, 'Requests per minute of an API key without its own limit'),
  RATE_LIMIT_ANONYMOUS: integer(1, 100_000_000, 300, 'Requests per minute of an address without credential'),
  RATE_LIMIT_FAILED_AUTHENTICATION: integer(1, 100_000_000, 600, 'Refused credentials per minute of an address'),
  RATE_LIMIT_PROCESSES: integer(1, 1_000, 1, 'API processes that share the load; each takes its part of every limit'),
  IDEMPOTENCY_TTL_HOURS: integer(1, 8_760, 24, 'How long an Idempotency-Key is remembered'),
  EVENT_RETENTION_DAYS: integer(31, 36_500, 400, 'How long events are kept, rounded up to whole months'),
  ORDER_PAYMENT_WINDOW_MINUTES: integer(1, 525_600, 30, 'How long an unpaid prepaid order keeps its stock'),
  GROUP_SIZE: integer(1, 512, 128, 'Most concurrent orders of one organization in one transaction; 1: none share'),
  GROUPS_IN_FLIGHT: integer(1, 64, 3, 'Transactions of one organization that place orders at a time, per process'),
  AUTHENTICATION_CACHE_TTL_MS: integer(0, 5_000, 5_000, 'How long a verified API key is believed; 0: not at all'),
  OUTBOUND_ALLOWED_NETWORKS: text(
    '',
    'Comma-separated CIDR list that webhooks may reach although not public, over http and any port too; for tests, refused in production',
  ),
  OUTBOUND_EXTRA_CA: text('', 'PEM file of certificates that receivers of webhooks may present; refused in production'),
  STREAMS_PER_KEY: integer(1, 100_000, 100, 'Open event streams of one API key, per process'),
  STREAMS_PER_ORGANIZATION: integer(1, 100_000, 1_000, 'Open event streams of one organization, per process'),
  STREAM_HEARTBEAT_MS: integer(1_000, 14_000, 10_000, 'Longest silence of an event stream, to within a second'),
  STREAM_STALL_MS: integer(
    1_000,
    600_000,
    30_000,
    'How long a reader of a stream may take nothing of what waits for it',
  ),
  STREAM_BUFFER_BYTES: integer(65_536, 67_108_864, 1_048_576, 'Bytes that may wait for one reader of a stream'),
  RELAY_LAG_LIMIT_MS: integer(1_000, 3_600_000, 15_000, 'Longest wait of an event for its number before an alert'),
  WEBHOOKS_IN_FLIGHT: integer(2, 5_000, 512, 'Webhooks that a worker sends at a time, to all endpoints together'),
  WEBHOOK_RETENTION_DAYS: integer(1, 3_650, 30, 'How long deliveries of webhooks and their attempts are kept'),
  JOB_TIMEOUT_SECONDS: integer(1, 3_600, 300, 'Longest run of one job attempt'),
  JOB_CONCURRENCY: integer(1, 100, 8, 'Jobs of one name that a worker runs at a time'),
  ALERT_URL: text('', 'Where alerts are sent as JSON by POST, e.g. a chat or paging service; empty: to the log alone'),
})

export type Config = Static<typeof ConfigSchema>

/** Lists every problem of the configuration at once; entry files print the message and exit with code 1. */
export class ConfigError extends Error {
  readonly problems: readonly string[]
  constructor(problems: readonly string[]) {
    super(`invalid configuration: ${problems.join('; ')}`)
    this.problems = problems
  }
}

const ajv = new Ajv({ allErrors: true, coerceTypes: true, useDefaults: true })
addFormats.default(ajv)
const validate = ajv.compile(ConfigSchema as TObject)

/**
 * Reads the configuration from environment variables. An empty variable counts as unset.
 * @throws ConfigError naming every missing, malformed or forbidden variable.
 */
export function loadConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const names = Object.keys(ConfigSchema.properties)
  const candidate: Record<string, unknown> = {}
  for (const name of names) if (env[name] !== undefined && env[name] !== '') candidate[name] = env[name]
  const valid = validate(candidate)
  const problems = valid ? [] : (validate.errors ?? []).map((e) => `${e.instancePath.slice(1)} ${e.message}`)
  const config = candidate as unknown as Config
  problems.push(...contradictions(config))
  if (problems.length > 0) throw new ConfigError(problems)
  if (config.HOST === '') config.HOST = config.DATABASE_URL === '' ? '127.0.0.1' : '0.0.0.0'
  return Object.freeze(config)
}

/** Origins of browsers that may call; `none` says on purpose that there are none. */
export const corsOrigins = (config: Config): readonly string[] =>
  list(config.CORS_ORIGINS).filter((origin) => origin !== 'none')
export const trustedProxies = (config: Config): readonly string[] => list(config.TRUST_PROXY)
export const outboundNetworks = (config: Config): readonly string[] => list(config.OUTBOUND_ALLOWED_NETWORKS)

function list(value: string): readonly string[] {
  return value
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
}

function contradictions(config: Config): string[] {
  const problems: string[] = []
  for (const name of ['DATABASE_URL', 'DIRECT_DATABASE_URL', 'MIGRATION_DATABASE_URL'] as const)
    if (config[name] !== '' && !/^postgres(ql)?:\/\//.test(config[name]))
      problems.push(`${name} must begin with postgres:// or postgresql://`)
  if (config.PUBLIC_URL !== '' && !/^https?:\/\/[^\s]+$/.test(config.PUBLIC_URL))
    problems.push('PUBLIC_URL must be an http or https URL')
  if (config.ALERT_URL !== '' && !isPlainHttpUrl(config.ALERT_URL))
    problems.push('ALERT_URL must be an http or https URL without user name and password')
  for (const origin of corsOrigins(config))
    if (origin !== '*' && !/^https?:\/\/[^/\s]+$/.test(origin))
      problems.push(`CORS_ORIGINS: ${origin} is no origin (scheme://host[:port])`)
  for (const network of outboundNetworks(config))
    if (!ipaddr.isValidCIDR(network)) problems.push(`OUTBOUND_ALLOWED_NETWORKS: ${network} is no address range`)
  problems.push(...keyProblems(config))
  if (config.NODE_ENV === 'production') problems.push(...productionProblems(config))
  return problems
}

/** What is wrong with keys; never the keys themselves. */
function keyProblems(config: Config): string[] {
  const readers = {
    ENCRYPTION_KEY: parseEncryptionKeys,
    LEDGER_SIGNING_KEY: (text: string) => text === '' || parsePrivateKey(text),
    LEDGER_PREVIOUS_PUBLIC_KEYS: previousPublicKeys,
  } as const
  return (Object.keys(readers) as (keyof typeof readers)[]).flatMap((name) => {
    try {
      readers[name](config[name])
      return []
    } catch (error) {
      return [`${name}: ${error instanceof Error ? error.message : String(error)}`]
    }
  })
}

/** A user name or password in it would be refused by every request. */
function isPlainHttpUrl(text: string): boolean {
  const url = URL.parse(text)
  return url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.password === ''
}

function productionProblems(config: Config): string[] {
  const problems: string[] = []
  if (config.DATABASE_URL === '') problems.push('DATABASE_URL is required in production')
  if (config.SIGNING_SECRET === demoSigningSecret) problems.push('SIGNING_SECRET must be set in production')
  if (config.ENCRYPTION_KEY.includes(demoEncryptionKey))
    problems.push('ENCRYPTION_KEY must be set in production, without the key of the demo')
  for (const name of ['OUTBOUND_ALLOWED_NETWORKS', 'OUTBOUND_EXTRA_CA'] as const)
    if (config[name] !== '') problems.push(`${name} must not be set in production`)
  if (config.LEDGER_SIGNING_KEY === '') problems.push('LEDGER_SIGNING_KEY must be set in production')
  if (config.CORS_ORIGINS === '') problems.push('CORS_ORIGINS must list origins in production, or say none')
  if (corsOrigins(config).includes('*')) problems.push('CORS_ORIGINS must not contain * in production')
  return problems
}
