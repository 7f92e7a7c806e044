import t from 'tap'
import { askedPause, probeAt, retryAt } from '../sending/schedule.ts'

const now = new Date('2026-01-15T09:30:00.000Z')
const [second, minute, hour] = [1_000, 60_000, 3_600_000]
const after = (time: Date): number => time.getTime() - now.getTime()

t.test('the second attempt comes after 10 s and the third after another 60 s, up to a fifth later', async (t) => {
  for (const [made, pause] of [
    [1, 10 * second],
    [2, 60 * second],
    [3, 60 * second],
  ] as const) {
    t.equal(after(retryAt(now, made, null, 0)), pause)
    t.equal(after(retryAt(now, made, null, 0.5)), pause * 1.1)
    t.equal(after(retryAt(now, made, null, 1)), pause * 1.2)
  }
  const times = new Set(Array.from({ length: 50 }, () => after(retryAt(now, 1, null))))
  t.ok(times.size > 10, 'jitter spreads them')
  t.ok([...times].every((pause) => pause >= 10 * second && pause <= 12 * second))
})

t.test('a receiver may ask for a longer pause, up to an hour, not for a shorter one', async (t) => {
  t.equal(after(retryAt(now, 1, 5 * second, 0)), 10 * second)
  t.equal(after(retryAt(now, 1, 5 * minute, 0)), 5 * minute)
  t.equal(after(retryAt(now, 1, 24 * hour, 0)), hour)
})

t.test('only Retry-After of 429 and 503 is read, as seconds or as a date', async (t) => {
  const later = 'Thu, 15 Jan 2026 09:45:00 GMT'
  for (const [status, value, asked] of [
    [429, '120', 2 * minute],
    [503, '0', 0],
    [503, later, 15 * minute],
    [503, 'Thu, 15 Jan 2026 09:00:00 GMT', 0],
    [500, '120', null],
    [302, '120', null],
    [null, '120', null],
    [429, null, null],
    [429, 'soon', null],
    [429, '1e9', null],
    [429, '12345678901', null],
  ] as const)
    t.equal(askedPause(status, value, now), asked, `${status} ${value}`)
})

t.test('probes are ever rarer, then one a day', async (t) => {
  const pauses = [0, 1, 2, 3, 4, 5, 6, 100].map((made) => after(probeAt(now, made)))
  t.same(pauses, [5 * minute, 30 * minute, 2 * hour, 5 * hour, 10 * hour, 24 * hour, 24 * hour, 24 * hour])
})
