export { cancelOpen, revive } from './backlog.ts'
export { createWebhookFanOut } from './fan-out.ts'
export { webhookDeliveryJobs } from './jobs.ts'
export { presentDelivery, presentEndpoint } from './present.ts'
export { type Replayed, replayDelivery, replayEvents, replayMissing, sendTest } from './replay.ts'
export {
  cancelTests,
  type DeliveryRow,
  deliveryColumns,
  type EndpointRow,
  type EventRange,
  endpointColumns,
  lockEndpoint,
} from './repository.ts'
export { createRecentContents, type RecentContents } from './sending/contents.ts'
export { type Sender, type SenderDependencies, startSender } from './sending/sender.ts'
