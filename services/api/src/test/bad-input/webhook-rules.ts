import { absent, type HandCase, refused } from './world.ts'

const receiver = 'https://hooks.shop.example/purser'
const any = { headers: { 'if-match': '*' } }

/** URLs that lead inside, or nowhere, however they are written. */
const refusedUrls: readonly string[] = [
  'http://hooks.shop.example/',
  'ftp://hooks.shop.example/',
  'file:///etc/passwd',
  'hooks.shop.example/purser',
  '//hooks.shop.example/',
  'https://',
  'https:///purser',
  'javascript:alert(1)',
  'https://hooks.shop.example:80/',
  'https://hooks.shop.example:22/',
  'https://hooks.shop.example:65536/',
  `https://${'someone'}@hooks.shop.example/`,
  'https://inside.shop.example/',
  'https://localhost/',
  'https://127.0.0.1/',
  'https://127.1/',
  'https://2130706433/',
  'https://0x7f000001/',
  'https://0177.0.0.1/',
  'https://①②⑦.⓪.⓪.①/',
  'https://0.0.0.0/',
  'https://10.0.0.1/',
  'https://172.16.0.1/',
  'https://192.168.1.1/',
  'https://100.64.0.1/',
  'https://169.254.169.254/latest/meta-data/',
  'https://224.0.0.1/',
  'https://255.255.255.255/',
  'https://[::1]/',
  'https://[::]/',
  'https://[::ffff:127.0.0.1]/',
  'https://[64:ff9b::7f00:1]/',
  'https://[fd00::1]/',
  'https://[fe80::1]/',
]

/** What is no endpoint, and what may not be asked of one. */
export function webhookRules(): readonly HandCase[] {
  const create = (name: string, change: object, status = 422, code = 'VALIDATION_FAILED') =>
    refused(
      `webhookEndpoints.create: ${name}`,
      'POST',
      '/v1/webhook-endpoints',
      { url: receiver, ...change },
      status,
      code,
    )
  const one = `/v1/webhook-endpoints/${absent('whe')}`
  const missing = (verb: string, body?: unknown) =>
    refused(`webhookEndpoints.${verb}: none`, 'POST', `${one}/${verb}`, body, 404, 'WEBHOOK_ENDPOINT_NOT_FOUND')
  const replay = (name: string, body: unknown) =>
    refused(`webhookEndpoints.replay: ${name}`, 'POST', `${one}/replay`, body, 422, 'VALIDATION_FAILED')
  const list = (name: string, query: string, status = 422, code = 'VALIDATION_FAILED') =>
    refused(`webhookDeliveries.list: ${name}`, 'GET', `/v1/webhook-deliveries?${query}`, undefined, status, code)
  const delivery = `/v1/webhook-deliveries/${absent('dlv')}`
  return [
    ...refusedUrls.map((url) => create(`the URL ${url}`, { url }, 422, 'WEBHOOK_URL_REFUSED')),
    create('no URL', { url: undefined }),
    create('a URL of null', { url: null }),
    create('a URL of 2,049 characters', { url: receiver.padEnd(2_049, 'a') }),
    create('a type that is none', { types: ['order.shipped'] }),
    create('part of a type', { types: ['order'] }),
    create('a pattern within a word', { types: ['order.pla*'] }),
    create('no types', { types: [] }),
    create('a type twice', { types: ['order.placed', 'order.placed'] }),
    create('a secret of its own', { secret: 'x' }),
    create('a state', { state: 'active' }),
    create('101 at a time', { maxConcurrency: 101 }),
    create('none at a time', { maxConcurrency: 0 }),
    create('another ordering', { ordering: 'total' }),
    create('a source that is none', { allowedSources: ['a b'] }),
    create('a description of 501 characters', { description: 'x'.repeat(501) }),
    refused('webhookEndpoints.update: none', 'PATCH', one, { types: ['*'] }, 404, 'WEBHOOK_ENDPOINT_NOT_FOUND', any),
    refused('webhookEndpoints.update: nothing', 'PATCH', one, {}, 422, 'VALIDATION_FAILED', any),
    refused('webhookEndpoints.delete: none', 'DELETE', one, undefined, 404, 'WEBHOOK_ENDPOINT_NOT_FOUND', any),
    refused(
      'webhookEndpoints.get: an order',
      'GET',
      `/v1/webhook-endpoints/${absent('ord')}`,
      undefined,
      422,
      'VALIDATION_FAILED',
    ),
    ...['enable', 'disable', 'rotate-secret', 'test', 'redrive'].map((verb) => missing(verb)),
    missing('replay', {}),
    replay('a sequence below 0', { afterSequence: -1 }),
    replay('a sequence as text', { upToSequence: '10' }),
    replay('a type that is none', { types: ['order.*', 'ordre.*'] }),
    replay('an order as event', { eventId: absent('ord') }),
    replay('onlyMissing as text', { onlyMissing: 'true' }),
    list('a state that is none', 'state=failed'),
    list('a state twice', 'state=dead&state=dead'),
    list('a time that is none', 'createdFrom=yesterday'),
    list('an unknown parameter', 'status=dead'),
    list('a cursor of nobody', 'after=x', 400, 'INVALID_CURSOR'),
    refused('webhookDeliveries.get: none', 'GET', delivery, undefined, 404, 'WEBHOOK_DELIVERY_NOT_FOUND'),
    refused(
      'webhookDeliveries.replay: none',
      'POST',
      `${delivery}/replay`,
      undefined,
      404,
      'WEBHOOK_DELIVERY_NOT_FOUND',
    ),
  ]
}
