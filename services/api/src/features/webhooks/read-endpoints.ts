import { presentEndpoint } from '#features/webhook-delivery/index.ts'
import { type Page, type PageRequest, toPage } from '#platform/page.ts'
import type { View } from '#platform/work.ts'
import { findEndpoint } from './endpoint.ts'
import { selectEndpoints } from './repository.ts'
import type { WebhookEndpoint } from './schemas.ts'

export async function getEndpoint(view: View, endpointId: string): Promise<WebhookEndpoint> {
  return presentEndpoint(await findEndpoint(view, endpointId))
}

export async function listEndpoints(view: View, page: PageRequest): Promise<Page<WebhookEndpoint>> {
  return toPage(await selectEndpoints(view, page), page, ({ id }) => [id], presentEndpoint)
}
