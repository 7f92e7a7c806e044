export { checkCheckpoint, openKept, type SignedCheckpoint } from './check-checkpoint.ts'
export { presentCheckpoint } from './present.ts'
export {
  type CheckpointRow,
  selectCheckpointsWithin,
  selectCheckpointUpTo,
  selectMovedOrganizations,
  selectPresentCheckpoints,
} from './repository.ts'
export { checkpointRoutes } from './routes.ts'
export { Checkpoint, Hash, LedgerPosition } from './schemas.ts'
export { signCheckpoint } from './sign-checkpoint.ts'
