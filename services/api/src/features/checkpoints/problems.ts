import { defineProblem } from '#platform/problem.ts'

export const CheckpointNotFound = defineProblem({
  status: 404,
  code: 'CHECKPOINT_NOT_FOUND',
  title: 'There is no such checkpoint',
})
