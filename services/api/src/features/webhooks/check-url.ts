import { OutboundRefused } from '#platform/outbound-address.ts'
import type { Outbound } from '#platform/outbound-http.ts'
import type { AppError } from '#platform/problem.ts'
import { WebhookUrlRefused } from './problems.ts'

/**
 * Why a URL may not be registered, null if it may. Asked before the transaction, which waits for no name server; what
 * is sent later is checked again, since names change.
 */
export async function refusalOf(outbound: Pick<Outbound, 'check'>, url: string | undefined): Promise<AppError | null> {
  if (url === undefined) return null
  return outbound.check(url).then(
    () => null,
    (error: unknown) => {
      if (!(error instanceof OutboundRefused)) throw error
      const { code, message } = error
      return new WebhookUrlRefused({
        detail: `url: ${message}`,
        errors: [{ field: 'url', pointer: '/url', code, message }],
      })
    },
  )
}
