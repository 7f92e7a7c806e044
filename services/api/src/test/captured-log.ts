import { type Config, loadConfig } from '#platform/config.ts'
import { createLogger, type Logger } from '#platform/logger.ts'

export type LogLine = Readonly<Record<string, unknown>>

export interface CapturedLog {
  readonly log: Logger
  /** Every line since the last call, parsed; a line that is no JSON throws. */
  take(): readonly LogLine[]
  /** Every line so far, as written. */
  readonly raw: readonly string[]
}

/** The service's own logger, writing to memory. */
export function captureLog(level: Config['LOG_LEVEL'] = 'info'): CapturedLog {
  const raw: string[] = []
  let taken = 0
  const config = loadConfig({ LOG_LEVEL: level })
  const log = createLogger(config, 'test', { write: (line) => void raw.push(line) })
  return {
    log,
    raw,
    take() {
      const fresh = raw.slice(taken)
      taken = raw.length
      return fresh.map((line) => JSON.parse(line) as LogLine)
    },
  }
}
