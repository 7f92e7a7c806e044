import { type Page, type PageRequest, toPage } from '#platform/page.ts'
import type { View } from '#platform/work.ts'
import { presentCheckpoint } from './present.ts'
import { CheckpointNotFound } from './problems.ts'
import { selectCheckpoint, selectCheckpoints } from './repository.ts'
import type { Checkpoint } from './schemas.ts'

export async function listCheckpoints(view: View, page: PageRequest): Promise<Page<Checkpoint>> {
  return toPage(await selectCheckpoints(view, page), page, ({ number }) => [number], presentCheckpoint)
}

export async function getCheckpoint(view: View, checkpointId: string): Promise<Checkpoint> {
  const row = await selectCheckpoint(view, checkpointId)
  if (!row) throw new CheckpointNotFound()
  return presentCheckpoint(row)
}
