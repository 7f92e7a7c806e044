import http from 'node:http'
import t, { type Test } from 'tap'
import { type Alert, createAlerts } from '#platform/alerts.ts'
import { loadConfig } from '#platform/config.ts'
import { type CapturedLog, captureLog } from '#test/captured-log.ts'
import { listening } from '#test/listening.ts'
import { until } from '#test/until.ts'

interface Received {
  readonly at: number
  readonly body: Record<string, unknown>
}

const logs: CapturedLog[] = []

/** A receiver on this machine, and alerts that go to it. */
async function receiver(t: Test, answer: http.RequestListener, limits = {}) {
  const received: Received[] = []
  const server = http.createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    received.push({ at: performance.now(), body: JSON.parse(body) })
    answer(request, response)
  })
  const port = await listening(t, server)
  const url = `http://127.0.0.1:${port}/hook?token=canary`
  const captured = captureLog()
  const config = loadConfig({ ALERT_URL: url })
  const shortened = { perWindow: 30, windowMs: 60_000, timeoutMs: 200, retryPauseMs: 10, ...limits }
  const alerts = createAlerts(config, captured.log, shortened)
  t.teardown(() => alerts.close())
  logs.push(captured)
  return { alerts, received, server, lines: () => captured.raw.map((line) => JSON.parse(line)) }
}

const dead = (jobId: string): Alert => ({ alert: 'job.dead', message: 'a job is dead', jobId, organizationId: 'org_1' })
const take: http.RequestListener = (_request, response) => void response.end()

t.test('an alert is an error line and a POST of just what was raised', async (t) => {
  const { alerts, received, lines } = await receiver(t, take)
  alerts.raise(dead('job_1'))
  t.match(lines(), [{ level: 'error', alert: 'job.dead', message: 'a job is dead', jobId: 'job_1' }])
  await until('it has come', () => received.length === 1)
  const { at, ...body } = received[0]?.body ?? {}
  t.same(body, dead('job_1'))
  t.match(at, /^\d{4}-.*Z$/)
  await until('that is told', () => lines().some(({ message }) => message === 'alert sent'))
})

t.test('without an address it is the line alone', async (t) => {
  const captured = captureLog()
  const alerts = createAlerts(loadConfig({}), captured.log)
  alerts.raise(dead('job_1'))
  await alerts.close()
  t.equal(captured.raw.length, 1)
})

t.test('the same alert is raised once per window', async (t) => {
  const { alerts, received, lines } = await receiver(t, take, { windowMs: 300 })
  for (let i = 0; i < 50; i++) alerts.raise(dead('job_1'))
  await until('it has come', () => received.length === 1)
  t.equal(lines().filter(({ level }) => level === 'error').length, 1)
  await until('the next window begins', () => {
    alerts.raise(dead('job_1'))
    return received.length === 2
  })
})

t.test('a storm sends a bounded number and tells how many more there were; the log has all', async (t) => {
  const { alerts, received, lines } = await receiver(t, take, { perWindow: 5, windowMs: 500 })
  for (let i = 0; i < 200; i++) alerts.raise(dead(`job_${i}`))
  await until('the window ends', () => received.some(({ body }) => body.alert === 'alerts.suppressed'))
  t.equal(received.length, 6)
  t.match(received.at(-1)?.body, { alert: 'alerts.suppressed', count: 195 })
  t.equal(lines().filter(({ level }) => level === 'error').length, 200)
})

const failures: Readonly<Record<string, http.RequestListener>> = {
  'answers 503': (_request, response) => void response.writeHead(503).end(),
  'never answers': () => {},
  'cuts the connection': (request) => void request.socket.destroy(),
  'sends elsewhere': (_request, response) => void response.writeHead(307, { location: '/elsewhere' }).end(),
}
for (const [what, answer] of Object.entries(failures))
  t.test(`a receiver that ${what} is tried three times, and nothing is thrown`, async (t) => {
    const { alerts, received, lines } = await receiver(t, answer)
    alerts.raise(dead('job_1'))
    const refused = () => lines().filter(({ message }) => message === 'alert could not be sent')
    await until('it has been tried', () => refused().length === 3)
    t.equal(received.length, 3)
    t.ok(refused().every(({ level, reason }) => level === 'warn' && typeof reason === 'string'))
    t.ok(refused().every(({ durationMs }) => durationMs < 2_000))
  })

t.test('a receiver that comes back gets it', async (t) => {
  let calls = 0
  const { alerts, lines } = await receiver(t, (_request, response) => {
    calls++
    response.writeHead(calls < 3 ? 500 : 204).end()
  })
  alerts.raise(dead('job_1'))
  await until('it was taken', () => lines().some(({ message }) => message === 'alert sent'))
  t.equal(calls, 3)
})

t.test('an endless answer is not read', async (t) => {
  const { alerts, lines } = await receiver(t, (_request, response) => {
    response.writeHead(200)
    const timer = setInterval(() => response.write('x'.repeat(10_000)), 1)
    response.on('close', () => clearInterval(timer))
  })
  alerts.raise(dead('job_1'))
  await until('it was taken', () => lines().some(({ message }) => message === 'alert sent'))
})

t.test('closing lets what waits leave, and gives up on a receiver that does not answer', async (t) => {
  const quick = await receiver(t, take)
  for (let i = 0; i < 5; i++) quick.alerts.raise(dead(`job_${i}`))
  await quick.alerts.close()
  t.equal(quick.received.length, 5)
  const stuck = await receiver(t, () => {}, { timeoutMs: 60_000 })
  stuck.alerts.raise(dead('job_1'))
  const started = performance.now()
  await stuck.alerts.close()
  t.ok(performance.now() - started < 6_000)
  stuck.alerts.raise(dead('job_2'))
  t.equal(stuck.received.length, 1, 'what is raised later goes to the log alone')
})

t.test('the address stays out of the log', async (t) => {
  t.ok(logs.length > 5)
  for (const { raw } of logs) t.notMatch(raw.join(), 'canary')
})
