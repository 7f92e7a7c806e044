import type { FanOut, NumberedEvent } from '#platform/relay/fan-out.ts'
import { insertFannedOut, type Listening, selectListening } from './listening/repository.ts'
import type { RecentContents } from './sending/contents.ts'
import { hearsOf, type Occurrence } from './subscription.ts'

/** Makes a delivery of each event for each endpoint that hears of it, in the transaction that numbers the events. */
export const createWebhookFanOut = (recentContents: Pick<RecentContents, 'keep'>): FanOut => ({
  name: 'webhooks',
  async join(db, organizationIds) {
    const endpoints = await selectListening(db, organizationIds)
    const listeners = endpoints.map((endpoint) => ({ ...endpoint, hears: hearsOf(endpoint) }))
    return (events) => {
      const deliveries = events.flatMap((event) => deliveriesOf(event, listeners))
      if (deliveries.length === 0) return { statements: [] }
      return {
        statements: [insertFannedOut(db, deliveries)],
        committed: () => {
          for (const { event } of deliveries) recentContents.keep(event)
        },
      }
    }
  },
})

type Listener = Listening & { readonly hears: (event: Occurrence) => boolean }

const deliveriesOf = (event: NumberedEvent, listeners: readonly Listener[]) => {
  const occurrence = occurrenceOf(event)
  return listeners
    .filter(({ organization_id, hears }) => organization_id === event.organizationId && hears(occurrence))
    .map(({ id }) => ({ endpointId: id, event }))
}

function occurrenceOf({ type, resource, data }: NumberedEvent): Occurrence {
  const fields = data as Readonly<Record<string, unknown>>
  const text = (value: unknown): string | null => (typeof value === 'string' ? value : null)
  const isAboutWebhooks = type.startsWith('webhook.')
  return {
    type,
    resourceType: resource.type,
    source: text(fields.source),
    aboutEndpointId: isAboutWebhooks ? (text(fields.endpointId) ?? resource.id) : null,
  }
}
