import type { Logger } from './logger.ts'

const finalMarginMs = 5_000

/**
 * Runs `stop` once on SIGTERM, SIGINT or a defect that nobody caught, then exits: 0 after a clean stop, 1 after a
 * defect or when `graceMs` (plus a margin for closing connections) has passed. A second signal exits at once.
 */
export function stopGracefully(log: Logger, graceMs: number, stop: () => Promise<void>): void {
  let stopping = false
  const begin = (exitCode: number): void => {
    if (stopping) process.exit(1)
    stopping = true
    setTimeout(() => exit(log, 1), graceMs + finalMarginMs).unref()
    stop().then(
      () => exit(log, exitCode),
      (error: unknown) => {
        log.error({ err: error }, 'stopping failed')
        exit(log, 1)
      },
    )
  }
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.on(signal, () => {
      log.info({ signal }, 'stopping')
      begin(0)
    })
  const defect = (error: unknown): void => {
    log.fatal({ err: error }, 'defect that nobody caught')
    begin(1)
  }
  process.on('uncaughtException', defect)
  process.on('unhandledRejection', defect)
}

function exit(log: Logger, code: number): void {
  log.flush(() => process.exit(code))
  setTimeout(() => process.exit(code), 500).unref()
}

/** Prints why the process cannot start as one line and ends it with exit code 1. */
export function failToStart(error: unknown): never {
  // Of several addresses that refused, Node's error has no message of its own.
  const told = error instanceof AggregateError && error.message === '' ? error.errors[0] : error
  const message = told instanceof Error ? told.message : String(told)
  process.stderr.write(`purser: ${message.split('\n', 1)[0]}\n`)
  process.exit(1)
}
