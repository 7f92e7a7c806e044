import { randomUUID } from 'node:crypto'

/** What a program needs to talk to the demo organization; also the content of demo.json. */
export interface Demo {
  readonly url: string
  readonly apiKey: string
  readonly organizationId: string
  readonly locationId: string
}

export interface BannerOptions {
  readonly url: string
  readonly demo: Demo | undefined
  readonly logFolder: string
  readonly startedInMs: number
}

/** The lines `npm start` ends with. The order in the curl line is a new one at each start. */
export function banner({ url, demo, logFolder, startedInMs }: BannerOptions): string {
  const lines = [
    '',
    `Purser is ready after ${(startedInMs / 1_000).toFixed(1)} s`,
    '',
    `  API      ${url}`,
    `  Docs     ${new URL('/docs', url).href}   try every operation in the browser`,
    ...(demo === undefined ? [] : [`  API key  ${demo.apiKey}   of the demo organization`]),
    `  Logs     ${logFolder}`,
    ...(demo === undefined ? [] : ['', 'Place an order:', '', `  ${curl(url, demo.apiKey)}`]),
    '',
    'Ctrl-C stops everything.',
  ]
  return lines.join('\n')
}

/** One line that can be pasted into a shell. */
function curl(url: string, apiKey: string): string {
  const fresh = randomUUID().slice(0, 13)
  const order = {
    paymentTerms: 'onAccount',
    source: 'demo',
    externalId: `demo-${fresh}`,
    lines: [{ sku: '85123A', quantity: 6 }],
  }
  const headers = [
    `Authorization: Bearer ${apiKey}`,
    `Idempotency-Key: ${randomUUID()}`,
    'Content-Type: application/json',
  ]
  const options = headers.map((header) => `-H '${header}'`).join(' ')
  return `curl -i ${new URL('/v1/orders', url).href} ${options} -d '${JSON.stringify(order)}'`
}
