import { isIPv4 } from 'node:net'
import t from 'tap'
import { parseCidrs } from '../cidrs.ts'
import { InvalidCidr } from '../problems.ts'

t.test('an address is allowed when a range holds it', async (t) => {
  for (const [cidrs, address, expected] of [
    [['203.0.113.0/24'], '203.0.113.9', true],
    [['203.0.113.0/24'], '203.0.114.9', false],
    [['203.0.113.77/24'], '203.0.113.9', true],
    [['203.0.113.9/32'], '203.0.113.9', true],
    [['203.0.113.9/32'], '203.0.113.8', false],
    [['0.0.0.0/0'], '198.51.100.1', true],
    [['0.0.0.0/0'], '2001:db8::1', false],
    [['2001:db8::/32'], '2001:db8:1::1', true],
    [['2001:db8::/32'], '2001:db9::1', false],
    [['::/0'], '2001:db8::1', true],
    [['10.0.0.0/8', '2001:db8::/32', '203.0.113.0/24'], '203.0.113.9', true],
    [['203.0.113.0/24'], '::ffff:203.0.113.9', true],
    [['203.0.113.0/24'], '::ffff:203.0.114.9', false],
  ] as const)
    t.equal(
      parseCidrs(cidrs).check(address, isIPv4(address) ? 'ipv4' : 'ipv6'),
      expected,
      `${address} in ${cidrs.join(', ')}`,
    )
})

t.test('what is no address range is refused, and named', async (t) => {
  for (const entry of [
    '',
    '10.0.0.0',
    '10.0.0.0/',
    '10.0.0.0/33',
    '10.0.0.0/-1',
    '10.0.0.0/8/8',
    '10.0.0.0/8 ',
    '10.0.0/8',
    '010.0.0.0/8',
    '::/129',
    'example.com/8',
    '10.0.0.0/1e1',
  ]) {
    const wrong = t.throws(() => parseCidrs(['10.0.0.0/8', entry]), InvalidCidr, JSON.stringify(entry))
    t.match(wrong, { details: { errors: [{ field: 'allowedCidrs[1]', pointer: '/allowedCidrs/1' }] } })
  }
})
