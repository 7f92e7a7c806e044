import { newId } from '#platform/id.ts'
import type { JobContext } from '#platform/jobs.ts'
import { systemOrigin } from '#platform/work.ts'
import type { Runtime } from '../runtime.ts'

/** What the job `name` is run with, at the present moment of the runtime's clock. */
export function jobContext({ config, log, alerts, clock, unitOfWork }: Runtime, name: string): JobContext {
  return {
    config,
    log,
    alerts,
    now: clock.now(),
    signal: new AbortController().signal,
    tenant(organizationId) {
      const origin = systemOrigin({ organizationId, name, requestId: newId('req'), traceparent: null, log })
      return { read: (run) => unitOfWork.read(origin, run), write: (run) => unitOfWork.write(origin, run) }
    },
    sweep: unitOfWork.sweep,
  }
}
