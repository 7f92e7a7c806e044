import { BlockList, isIP } from 'node:net'
import { InvalidCidr } from './problems.ts'

/**
 * Address ranges as one list to check against.
 * @throws InvalidCidr naming the first entry that is no `address/prefix`.
 */
export function parseCidrs(cidrs: readonly string[]): BlockList {
  const ranges = new BlockList()
  cidrs.forEach((cidr, index) => {
    const [address = '', prefix = '', ...rest] = cidr.split('/')
    // isIP lets a zone through (fe80::1%eth0), which means something on one machine only.
    const family = address.includes('%') ? 0 : isIP(address)
    const bits = Number(prefix)
    const valid = family !== 0 && rest.length === 0 && /^\d{1,3}$/.test(prefix) && bits <= (family === 4 ? 32 : 128)
    if (!valid) {
      const pointer = `/allowedCidrs/${index}`
      const message = 'is not an address range'
      throw new InvalidCidr({ errors: [{ field: `allowedCidrs[${index}]`, pointer, code: 'WRONG_FORMAT', message }] })
    }
    ranges.addSubnet(address, bits, family === 4 ? 'ipv4' : 'ipv6')
  })
  return ranges
}
