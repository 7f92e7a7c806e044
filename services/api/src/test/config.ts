import { randomBytes } from 'node:crypto'
import { type Config, loadConfig } from '#platform/config.ts'

const signingKey = randomBytes(32).toString('base64')

export function testConfig(databaseUrl: string, env: Readonly<Record<string, string>> = {}): Config {
  return loadConfig({
    NODE_ENV: 'test',
    LOG_LEVEL: 'silent',
    HOST: '127.0.0.1',
    PORT: '0',
    RATE_LIMIT_PER_KEY: '1000000',
    RATE_LIMIT_ANONYMOUS: '1000000',
    LEDGER_SIGNING_KEY: signingKey,
    DATABASE_URL: databaseUrl,
    ENCRYPTION_KEY: Buffer.alloc(32, 'test').toString('base64'),
    ...env,
  })
}
