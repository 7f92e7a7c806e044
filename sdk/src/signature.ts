const encoder = new TextEncoder()

/** Of Standard Webhooks: a secret is 24 to 64 bytes, in base64 behind a prefix that some programs leave out. */
const shape = /^(?:whsec_)?((?:[A-Za-z\d+/]{4}){8,21}(?:[A-Za-z\d+/]{2}==|[A-Za-z\d+/]{3}=)?)$/

/** Not every set of types that has `crypto` names it. */
export type HmacKey = Awaited<ReturnType<typeof crypto.subtle.importKey>>

/** The HMAC key of a secret; undefined for what is none. */
export function importSecret(secret: string | undefined): Promise<HmacKey> | undefined {
  const encoded = shape.exec(secret ?? '')?.[1]
  if (!encoded) return undefined
  const bytes = Uint8Array.from(atob(encoded), (letter) => letter.charCodeAt(0))
  return crypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
}

/** One entry of `webhook-signature`: `v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`. */
export async function signatureOf(
  key: HmacKey,
  id: string,
  timestamp: string,
  body: Uint8Array<ArrayBuffer>,
): Promise<string> {
  const head = encoder.encode(`${id}.${timestamp}.`)
  const signed = new Uint8Array(head.length + body.length)
  signed.set(head)
  signed.set(body, head.length)
  const mac = new Uint8Array(await crypto.subtle.sign('HMAC', key, signed))
  return `v1,${btoa(String.fromCharCode(...mac))}`
}
