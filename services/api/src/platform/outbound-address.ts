import { Resolver } from 'node:dns/promises'
import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'
import { LRUCache } from 'lru-cache'

/** Why a URL is not called. */
export type RefusalCode =
  | 'URL_MALFORMED'
  | 'SCHEME_NOT_ALLOWED'
  | 'USERINFO_NOT_ALLOWED'
  | 'PORT_NOT_ALLOWED'
  | 'HOST_NOT_FOUND'
  | 'ADDRESS_NOT_PUBLIC'

/** A URL that must not be called. Its message may be shown to whoever gave the URL: it names no address. */
export class OutboundRefused extends Error {
  readonly code: RefusalCode
  constructor(code: RefusalCode, message: string) {
    super(message)
    this.code = code
  }
}

/** A URL that may be called, and the only addresses it may be called at. */
export interface Target {
  readonly url: URL
  readonly addresses: readonly string[]
}

/** Every address of a name, of both families; none when there is no such name. */
export type Resolve = (hostname: string) => Promise<readonly string[]>

export interface GuardOptions {
  /** Networks that count as public and may be called over http and at any port. */
  readonly allowedNetworks: readonly string[]
  readonly resolve: Resolve
}

const allowedPorts = new Set(['', '443', '8443'])
const longestUrl = 2_048

/**
 * Keeps calls to URLs that clients give from reaching inside: https, ports 443 and 8443, no userinfo, and every address
 * of the host public. Who calls must connect to the addresses it returns: asked again, the name may say something else.
 */
export function createGuard({ allowedNetworks, resolve }: GuardOptions): (url: string) => Promise<Target> {
  const networks = allowedNetworks.map((network) => ipaddr.parseCIDR(network))
  const isOpened = (address: string): boolean => {
    if (!ipaddr.isValid(address)) return false
    const parsed = ipaddr.process(address)
    return networks.some(([base, bits]) => base.kind() === parsed.kind() && parsed.match(base, bits))
  }
  return async (text) => {
    const url = parse(text)
    const refusal = transportRefusal(url)
    if (refusal && networks.length === 0) throw refusal()
    const hostname = url.hostname.replace(/^\[|\]$/g, '')
    const addresses = isIP(hostname) === 0 ? await resolve(hostname) : [hostname]
    if (addresses.length === 0) throw new OutboundRefused('HOST_NOT_FOUND', 'the host has no address')
    const closed = addresses.filter((address) => !isOpened(address))
    if (refusal && closed.length > 0) throw refusal()
    if (!closed.every(isPublic))
      throw new OutboundRefused('ADDRESS_NOT_PUBLIC', 'the host has an address that is not a public one')
    return { url, addresses }
  }
}

/** Parsed as browsers do, so that decimal, octal, hexadecimal, short and circled notations are what they mean. */
function parse(text: string): URL {
  const url = text.length <= longestUrl && URL.canParse(text) ? new URL(text) : null
  if (url === null || url.hostname === '') throw new OutboundRefused('URL_MALFORMED', 'not an absolute URL')
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    throw new OutboundRefused('SCHEME_NOT_ALLOWED', 'the scheme must be https')
  if (url.username !== '' || url.password !== '')
    throw new OutboundRefused('USERINFO_NOT_ALLOWED', 'a URL must not hold a user name or password')
  return url
}

/** Made when it is thrown: networks that are allowed need none, and an error costs more than all else here. */
function transportRefusal({ protocol, port }: URL): (() => OutboundRefused) | null {
  if (protocol !== 'https:') return () => new OutboundRefused('SCHEME_NOT_ALLOWED', 'the scheme must be https')
  if (!allowedPorts.has(port)) return () => new OutboundRefused('PORT_NOT_ALLOWED', 'the port must be 443 or 8443')
  return null
}

const globalUnicast = ipaddr.IPv6.parseCIDR('2000::/3')
/** Public by its number, yet answered inside: the platform address of Azure's virtual machines. */
const answeredInside = new Set(['168.63.129.16'])

/** Whether an address, in any notation, is public unicast. What embeds an IPv4 address (mapped, NAT64, 6to4) is not. */
export function isPublic(address: string): boolean {
  if (!ipaddr.isValid(address) || address.includes('%')) return false
  const parsed = ipaddr.parse(address)
  if (parsed.range() !== 'unicast') return false
  if (parsed instanceof ipaddr.IPv6) return parsed.match(globalUnicast)
  return !answeredInside.has(parsed.toString())
}

const lookupTimeoutMs = 2_000
const rememberedMs = 10_000

/**
 * Asks the name servers themselves: a look-up by the operating system would hold one of few threads for as long as a
 * hostile name server likes. Answers are remembered for 10 s.
 */
export function createResolve(): Resolve {
  const resolver = new Resolver({ timeout: lookupTimeoutMs, tries: 2 })
  const remembered = new LRUCache<string, readonly string[]>({ max: 5_000, ttl: rememberedMs })
  return async (hostname) => {
    const name = hostname.replace(/\.$/, '')
    if (name === 'localhost' || name.endsWith('.localhost')) return ['127.0.0.1']
    const known = remembered.get(name)
    if (known) return known
    const answers = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)])
    const addresses = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []))
    if (addresses.length > 0) remembered.set(name, addresses)
    return addresses
  }
}
