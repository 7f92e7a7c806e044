import { PurserError } from './errors.ts'

/** Values of a query: lists repeat the name, `null` and `undefined` are left out, dates are written in UTC. */
export type Query = Readonly<Record<string, unknown>>

const dotSegment = /^(\.|%2e){1,2}$/i

/** `/v1/orders/{orderId}` with each placeholder filled by the next id, encoded as one segment. */
export function fillPath(operation: string, template: string, ids: readonly unknown[]): string {
  let index = 0
  return template.replace(/\{\w+\}/g, (name) => {
    const id = ids[index++]
    const text = typeof id === 'string' || typeof id === 'number' ? String(id) : ''
    // An empty or dot segment would address another resource (WHATWG URL, path state).
    if (text === '' || dotSegment.test(text)) throw invalid(operation, `${name} must be an id`)
    return encodeURIComponent(text)
  })
}

/** A path for `request()`: absolute, without query, dot segments or anything a URL parser rewrites. */
export function checkPath(operation: string, path: string): string {
  if (!/^\/[^?#\\\s]*$/.test(path) || path.split('/').some((segment) => dotSegment.test(segment)))
    throw invalid(operation, 'path must begin with / and hold neither query nor dot segments')
  return path
}

/** `?status=pending&status=confirmed`, or an empty string. */
export function toQueryString(query: Query): string {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(query))
    for (const item of Array.isArray(value) ? value : [value])
      if (item !== undefined && item !== null) search.append(name, item instanceof Date ? item.toJSON() : String(item))
  const text = search.toString()
  return text === '' ? '' : `?${text}`
}

/** The base URL without trailing slash; throws unless it is a bare http(s) address. */
export function checkBaseUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url || !/^https?:$/.test(url.protocol) || url.username || url.password || url.search || url.hash)
    throw new PurserError({ code: 'INVALID_CONFIGURATION', reason: 'baseUrl must be a plain http or https URL' })
  return url.origin + url.pathname.replace(/\/+$/, '')
}

function invalid(operation: string, reason: string): PurserError {
  return new PurserError({ operation, code: 'INVALID_REQUEST', reason })
}
