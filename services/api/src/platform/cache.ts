import { LRUCache } from 'lru-cache'

export interface CacheOptions<V> {
  /** How long a value is believed, in milliseconds; 0 turns the cache off. Shortened at random by up to 10 %. */
  readonly ttlMs: number
  readonly maxEntries: number
  /** What a value is about; invalidating the tag drops it. */
  readonly tagOf: (value: V) => string | null
}

/** A bounded read-through cache. Concurrent misses of one key load once; a failed load is never kept. */
export interface Cache<V> {
  get(key: string, load: () => Promise<V>): Promise<V>
}

/** Makes caches and drops what a committed change has made stale, in this process; others wait for the TTL. */
export interface Caches {
  create<V extends object>(options: CacheOptions<V>): Cache<V>
  invalidate(tag: string): void
}

export function createCaches(): Caches {
  const droppers: ((tag: string) => void)[] = []
  return {
    create(options) {
      if (options.ttlMs === 0) return { get: (_key, load) => load() }
      const { cache, drop } = createCache(options)
      droppers.push(drop)
      return cache
    },
    invalidate(tag) {
      for (const drop of droppers) drop(tag)
    },
  }
}

function createCache<V extends object>({ ttlMs, maxEntries, tagOf }: CacheOptions<V>) {
  const entries = new LRUCache<string, V>({ max: maxEntries, ttl: ttlMs })
  const loading = new Map<string, Promise<V>>()
  const cache: Cache<V> = {
    async get(key, load) {
      const known = entries.get(key) ?? loading.get(key)
      if (known !== undefined) return known
      const started = load()
      loading.set(key, started)
      try {
        const value = await started
        // Dropped while it was loading: the value is handed out, but not kept.
        if (loading.get(key) === started) entries.set(key, value, { ttl: ttlMs * (0.9 + Math.random() * 0.1) })
        return value
      } finally {
        if (loading.get(key) === started) loading.delete(key)
      }
    },
  }
  const drop = (tag: string): void => {
    loading.clear()
    for (const [key, value] of entries.entries()) if (tagOf(value) === tag) entries.delete(key)
  }
  return { cache, drop }
}
