import { eventTypes } from '#platform/ledger.ts'
import { definitions, sampleOf, schemaName } from './catalogue.ts'

const header = (name: string, description: string, maxLength: number) => ({
  name,
  in: 'header',
  required: true,
  description,
  schema: { type: 'string', maxLength },
})

const parameters = [
  header('webhook-id', 'The id of the event, the same on every attempt', 64),
  header('webhook-timestamp', 'Seconds since 1970 at this attempt', 16),
  header('webhook-signature', 'v1, and the HMAC-SHA256 of id, timestamp and body, per valid secret', 512),
]

/** The `webhooks` section of the document: one entry per type of event. */
export const documentedWebhooks = Object.fromEntries(
  eventTypes.map((type) => [
    type,
    {
      post: {
        operationId: `${type.replace('.', '')}Webhook`,
        tags: ['events'],
        summary: definitions[type].description,
        description: 'Signed as Standard Webhooks say. The stream and the list have the same bytes.',
        security: [],
        parameters,
        requestBody: {
          required: true,
          content: {
            'application/json': {
              schema: { $ref: `#/components/schemas/${schemaName(type)}` },
              examples: { sample: { summary: definitions[type].description, value: sampleOf(type) } },
            },
          },
        },
        responses: {
          204: { description: 'Taken; any 2xx says so. Anything else is tried again.' },
          410: { description: 'Nobody listens here any more: nothing is sent from now on' },
        },
      },
    },
  ]),
)
