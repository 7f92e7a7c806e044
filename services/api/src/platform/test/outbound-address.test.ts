import t from 'tap'
import { createGuard, createResolve, isPublic, OutboundRefused, type Resolve } from '#platform/outbound-address.ts'

/** What names say here. */
const names: Readonly<Record<string, readonly string[]>> = {
  'receiver.example': ['93.184.215.14', '2606:2800:21f:cb07:6820:80da:af6b:8b2c'],
  'v6.example': ['2606:4700:4700::1111'],
  'loopback.example': ['127.0.0.1'],
  'loopback6.example': ['::1'],
  'mapped.example': ['::ffff:10.0.0.1'],
  'nat64.example': ['64:ff9b::a9fe:a9fe'],
  'metadata.example': ['169.254.169.254'],
  'private.example': ['10.1.2.3'],
  'half.example': ['93.184.215.14', '192.168.1.1'],
  'half6.example': ['93.184.215.14', 'fd00::1'],
  'zone.example': ['fe80::1%eth0'],
  'odd.example': ['not an address'],
  'platform.example': ['168.63.129.16'],
  localhost: ['127.0.0.1'],
}
const resolve: Resolve = async (hostname) => names[hostname.replace(/\.$/, '')] ?? []
const guard = createGuard({ allowedNetworks: [], resolve })

async function refusalOf(check: Promise<unknown>): Promise<string> {
  try {
    await check
    return 'allowed'
  } catch (error) {
    if (error instanceof OutboundRefused) return error.code
    throw error
  }
}

const inside = [
  // Loopback in every notation.
  'https://127.0.0.1/',
  'https://127.0.0.1:8443/',
  'https://127.1/',
  'https://127.0.1/',
  'https://2130706433/',
  'https://0x7f000001/',
  'https://0x7f.0.0.1/',
  'https://0x7f.1/',
  'https://017700000001/',
  'https://0177.0.0.1/',
  'https://0177.0.0.01/',
  'https://00000177.0.0.1/',
  'https://127.0.0.1./',
  'https://127.255.255.254/',
  'https://①②⑦.⓪.⓪.①/',
  'https://１２７.０.０.１/',
  'https://127。0。0。1/',
  'https://%31%32%37.0.0.1/',
  'https://localhost/',
  'https://localhost./',
  'https://LOCALHOST/',
  'https://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ/',
  'https://0/',
  'https://0.0.0.0/',
  'https://0x0/',
  'https://[::1]/',
  'https://[0:0:0:0:0:0:0:1]/',
  'https://[0000::0001]:8443/',
  'https://[::]/',
  // Private, shared and link-local networks.
  'https://10.0.0.1/',
  'https://012.0.0.1/',
  'https://167772161/',
  'https://172.16.0.1/',
  'https://172.31.255.255/',
  'https://192.168.0.1/',
  'https://0xc0a80001/',
  'https://100.64.0.1/',
  'https://100.100.100.200/',
  'https://169.254.169.254/latest/meta-data/',
  'https://2852039166/',
  'https://0xa9fea9fe/',
  'https://0251.0376.0251.0376/',
  'https://168.63.129.16/',
  'https://192.0.0.192/',
  'https://[fe80::1]/',
  'https://[febf::1]/',
  'https://[fc00::1]/',
  'https://[fd00:ec2::254]/',
  'https://[fec0::1]/',
  // IPv4 inside IPv6.
  'https://[::ffff:127.0.0.1]/',
  'https://[::ffff:7f00:1]/',
  'https://[::ffff:93.184.215.14]/',
  'https://[::127.0.0.1]/',
  'https://[::7f00:1]/',
  'https://[::ffff:0:127.0.0.1]/',
  'https://[64:ff9b::127.0.0.1]/',
  'https://[64:ff9b::a9fe:a9fe]/',
  'https://[64:ff9b:1::10.0.0.1]/',
  'https://[2002:7f00:1::]/',
  'https://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/',
  // Reserved, documentation, benchmarks, multicast, broadcast.
  'https://192.0.2.1/',
  'https://198.18.0.1/',
  'https://198.51.100.7/',
  'https://203.0.113.9/',
  'https://192.88.99.1/',
  'https://224.0.0.1/',
  'https://240.0.0.1/',
  'https://255.255.255.255/',
  'https://4294967295/',
  'https://[ff02::1]/',
  'https://[2001:db8::1]/',
  'https://[3fff::1]/',
  'https://[2001:2::1]/',
  'https://[100::1]/',
  'https://[5f00::1]/',
  'https://[4000::1]/',
  // Names that resolve inside, all of them or one address among good ones.
  'https://loopback.example/',
  'https://loopback.example./',
  'https://LOOPBACK.example:8443/',
  'https://loopback6.example/',
  'https://mapped.example/',
  'https://nat64.example/',
  'https://metadata.example/',
  'https://private.example/hook?x=1#y',
  'https://half.example/',
  'https://half6.example/',
  'https://zone.example/',
  'https://odd.example/',
  'https://platform.example/',
]

const refused: readonly (readonly [code: string, url: string])[] = [
  ['SCHEME_NOT_ALLOWED', 'http://receiver.example/'],
  ['SCHEME_NOT_ALLOWED', 'HTTP://receiver.example:443/'],
  ['SCHEME_NOT_ALLOWED', 'ftp://receiver.example/'],
  ['SCHEME_NOT_ALLOWED', 'gopher://receiver.example/'],
  ['SCHEME_NOT_ALLOWED', 'ws://receiver.example/'],
  ['SCHEME_NOT_ALLOWED', 'wss://receiver.example/'],
  ['USERINFO_NOT_ALLOWED', 'https://user@receiver.example/'],
  ['USERINFO_NOT_ALLOWED', 'https://user:secret@receiver.example/'],
  ['USERINFO_NOT_ALLOWED', 'https://receiver.example@127.0.0.1/'],
  ['USERINFO_NOT_ALLOWED', 'https://receiver.example:443@127.0.0.1/'],
  ['PORT_NOT_ALLOWED', 'https://receiver.example:80/'],
  ['PORT_NOT_ALLOWED', 'https://receiver.example:22/'],
  ['PORT_NOT_ALLOWED', 'https://receiver.example:5432/'],
  ['PORT_NOT_ALLOWED', 'https://receiver.example:444/'],
  ['PORT_NOT_ALLOWED', 'https://127.0.0.1:5432/'],
  ['PORT_NOT_ALLOWED', 'https://receiver.example:0/'],
  ['HOST_NOT_FOUND', 'https://nobody.example/'],
  ['URL_MALFORMED', ''],
  ['URL_MALFORMED', 'receiver.example'],
  ['URL_MALFORMED', '//receiver.example/'],
  ['URL_MALFORMED', 'https://'],
  ['URL_MALFORMED', 'https:///'],
  ['URL_MALFORMED', 'file:///etc/passwd'],
  ['URL_MALFORMED', 'data:text/plain,x'],
  ['URL_MALFORMED', 'javascript:alert(1)'],
  ['URL_MALFORMED', 'https://[fe80::1%25eth0]/'],
  ['URL_MALFORMED', 'https://[fe80::1%eth0]/'],
  ['URL_MALFORMED', 'https://[::1/'],
  ['URL_MALFORMED', 'https://256.256.256.256/'],
  ['URL_MALFORMED', 'https://127.0.0.1.1.1/'],
  ['URL_MALFORMED', 'https://0x100000000/'],
  ['URL_MALFORMED', 'https://receiver.example:99999/'],
  ['URL_MALFORMED', 'https://a b.example/'],
  ['URL_MALFORMED', 'https://receiver.example%00.inside/'],
  ['URL_MALFORMED', `https://receiver.example/${'x'.repeat(2_048)}`],
]

t.test('refuses every URL that leads inside, in any notation', async (t) => {
  t.ok(inside.length + refused.length >= 70, `${inside.length} addresses and names, ${refused.length} other URLs`)
  for (const url of inside) t.equal(await refusalOf(guard(url)), 'ADDRESS_NOT_PUBLIC', url)
  for (const [code, url] of refused) t.equal(await refusalOf(guard(url)), code, url)
})

t.test('allows public receivers and says at which addresses they may be called', async (t) => {
  t.same((await guard('https://receiver.example/hook')).addresses, names['receiver.example'])
  t.same((await guard('https://v6.example:8443/')).addresses, names['v6.example'])
  t.same((await guard('https://1.1.1.1/')).addresses, ['1.1.1.1'])
  t.same((await guard('https://[2606:4700:4700::1111]:443/')).addresses, ['2606:4700:4700::1111'])
  t.same((await guard('https://receiver.example./')).addresses, names['receiver.example'])
})

t.test('what a refusal says names no address', async (t) => {
  for (const url of ['https://private.example/', 'https://user:secret@private.example/', 'https://private.example:22/'])
    await t.rejects(guard(url), { message: /^[^0-9]*(443 or 8443)?$/ })
})

t.test('allowed networks are open over http and at any port, for these addresses alone', async (t) => {
  const opened = createGuard({ allowedNetworks: ['127.0.0.0/8', 'fd00::/8'], resolve })
  t.same((await opened('http://127.0.0.1:9999/')).addresses, ['127.0.0.1'])
  t.same((await opened('http://2130706433:9999/')).url.hostname, '127.0.0.1')
  t.same((await opened('http://[fd00::1]/')).addresses, ['fd00::1'])
  t.same((await opened('http://[::ffff:127.0.0.1]/')).addresses, ['::ffff:7f00:1'])
  t.same((await opened('http://loopback.example:1/')).addresses, ['127.0.0.1'])
  t.same((await opened('https://receiver.example/')).addresses, names['receiver.example'])
  const still = [
    ['SCHEME_NOT_ALLOWED', 'http://receiver.example/'],
    ['PORT_NOT_ALLOWED', 'https://receiver.example:9999/'],
    ['SCHEME_NOT_ALLOWED', 'http://private.example/'],
    ['ADDRESS_NOT_PUBLIC', 'https://private.example/'],
    ['ADDRESS_NOT_PUBLIC', 'https://half.example/'],
    ['USERINFO_NOT_ALLOWED', 'http://me@127.0.0.1/'],
  ] as const
  for (const [code, url] of still) t.equal(await refusalOf(opened(url)), code, url)
})

t.test('a name that changes its mind is asked again, and its new address is refused', async (t) => {
  const answers = [['93.184.215.14'], ['127.0.0.1']]
  const rebinding = createGuard({ allowedNetworks: [], resolve: async () => answers.shift() ?? [] })
  t.same((await rebinding('https://rebinding.example/')).addresses, ['93.184.215.14'])
  t.equal(await refusalOf(rebinding('https://rebinding.example/')), 'ADDRESS_NOT_PUBLIC')
})

t.test('knows public addresses from all others', async (t) => {
  for (const address of ['1.1.1.1', '8.8.8.8', '93.184.215.14', '2606:4700:4700::1111', '2a00:1450:4001:81b::200e'])
    t.ok(isPublic(address), address)
  for (const address of ['', 'x', '1.1.1.1.1', '::ffff:1.1.1.1', '2002:101:101::', 'fe80::1%eth0', '10.0.0.1'])
    t.notOk(isPublic(address), address)
})

t.test('localhost is this machine, whatever a name server says', async (t) => {
  const lookUp = createResolve()
  t.same(await lookUp('localhost'), ['127.0.0.1'])
  t.same(await lookUp('a.b.localhost.'), ['127.0.0.1'])
  t.same(await lookUp('nobody.invalid'), [])
})
