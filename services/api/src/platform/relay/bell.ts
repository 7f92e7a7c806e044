import { setTimeout as delay } from 'node:timers/promises'

/** Something to wait at that can be rung; a ring while nobody waits is kept for the next. */
export interface Bell {
  ring(): void
  /** Resolves when it rings, or after this time. */
  wait(timeoutMs: number): Promise<void>
}

export function createBell(): Bell {
  let rung = false
  let leave: (() => void) | undefined
  return {
    ring() {
      rung = true
      leave?.()
    },
    async wait(timeoutMs) {
      if (!rung)
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, timeoutMs)
          leave = () => {
            clearTimeout(timer)
            resolve()
          }
        })
      leave = undefined
      rung = false
    },
  }
}

/** Waits until this time has passed since a moment by `performance.now()`. */
export async function restSince(started: number, ms: number): Promise<void> {
  const left = started + ms - performance.now()
  if (left > 0) await delay(left)
}
