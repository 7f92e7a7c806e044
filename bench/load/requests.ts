import { randomUUID } from 'node:crypto'
import type { Job } from './generator.ts'

/** Makes the text of the next request: an order of three different random SKUs, or one of the paths. */
export function createRequests({ kind, url, apiKey }: Job, lines: readonly string[]): () => string {
  const common = `HTTP/1.1\r\nhost: ${new URL(url).host}\r\nauthorization: Bearer ${apiKey}\r\n`
  if (kind === 'paths') {
    const requests = lines.map((path) => `GET ${path} ${common}\r\n`)
    return () => requests[Math.floor(Math.random() * requests.length)] ?? ''
  }
  const head = `POST /v1/orders ${common}content-type: application/json\r\nidempotency-key: `
  const third = Math.floor(lines.length / 3)
  const draw = (nth: number): string => lines[nth * third + Math.floor(Math.random() * third)] ?? ''
  return () => {
    const items = [0, 1, 2].map((nth) => `{"sku":${draw(nth)},"quantity":${nth + 1}}`)
    const body = `{"paymentTerms":"onAccount","lines":[${items.join(',')}]}`
    return `${head}${randomUUID()}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
  }
}
