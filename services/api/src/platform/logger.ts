import { type DestinationStream, type Logger as PinoLogger, pino } from 'pino'
import type { Config } from './config.ts'

export type Logger = PinoLogger

/** Paths that never reach a log line, whoever logs them. */
const secretPaths = [
  'authorization',
  'cookie',
  'password',
  'secret',
  'token',
  'apiKey',
  'secretHash',
  'customer',
  'shippingAddress',
  'billingAddress',
  'email',
  'phone',
  'notes',
  'personal',
]

/** Where PostgreSQL quotes the values of a row it refused. */
const quotedRows = ['err.detail', 'err.where', 'err.internalQuery']

/** JSON lines with OpenTelemetry's field names, written asynchronously; `destination` replaces standard output. */
export function createLogger(config: Config, service: string, destination?: DestinationStream): Logger {
  const options = {
    level: config.LOG_LEVEL,
    base: { 'service.name': `purser-${service}`, 'process.pid': process.pid },
    messageKey: 'message',
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: {
      paths: [...quotedRows, ...secretPaths.flatMap((path) => [path, `*.${path}`, `*.*.${path}`, `*.headers.${path}`])],
      censor: '[redacted]',
    },
  }
  return pino(options, destination ?? pino.destination({ sync: false, minLength: 4_096, periodicFlush: 200 }))
}
