import type { FanOut, NumberedEvent } from '#platform/relay/fan-out.ts'
import { insertFannedOut, type Listening, selectListening } from './listening/repository.ts'
import { hearsOf, type Occurrence } from './subscription.ts'

/** Makes a delivery of each event for each endpoint that hears of it, in the transaction that numbers the events. */
export const webhookFanOut: FanOut = {
  name: 'webhooks',
  async join(db, organizationIds) {
    const endpoints = await selectListening(db, organizationIds)
    const listeners = endpoints.map((endpoint) => ({ ...endpoint, hears: hearsOf(endpoint) }))
    return (events) => {
      const deliveries = events.flatMap((event) => deliveriesOf(event, listeners))
      return deliveries.length === 0 ? [] : [insertFannedOut(db, deliveries)]
    }
  },
}

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
