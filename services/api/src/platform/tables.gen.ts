// Generated from migrations/ by `npm run generate`. Do not edit.

import type { ColumnType } from "kysely";

export type Generated<T> = T extends ColumnType<infer S, infer I, infer U>
  ? ColumnType<S, I | undefined, U>
  : ColumnType<T, T | undefined, T>;

export type Json = JsonValue;

export type JsonArray = JsonValue[];

export type JsonObject = {
  [x: string]: JsonValue | undefined;
};

export type JsonPrimitive = boolean | number | string | null;

export type JsonValue = JsonArray | JsonObject | JsonPrimitive;

export interface ApiKeys {
  allowed_cidrs: Generated<string[]>;
  allowed_sources: Generated<string[]>;
  created_at: Date;
  expires_at: Date | null;
  hint: string;
  id: string;
  last_used_at: Date | null;
  metadata: Generated<Json>;
  mode: string;
  name: string;
  organization_id: Generated<string>;
  principal_id: string;
  rate_limit_per_minute: number | null;
  revoked_at: Date | null;
  scopes: string[];
  secret_hash: string;
  updated_at: Date;
  version: Generated<number>;
}

export interface EventHeads {
  floor_hash: Buffer | null;
  floor_sequence: Generated<number>;
  hash: Buffer;
  organization_id: Generated<string>;
  sequence: number;
}

export interface Events {
  actor_id: string;
  hash: Buffer;
  id: string;
  occurred_at: Date;
  organization_id: Generated<string>;
  personal_digest: Buffer | null;
  resource_id: string;
  resource_type: string;
  sequence: number;
  type: string;
}

export interface IdempotencyKeys {
  created_at: Date;
  data: string | null;
  etag: string | null;
  fingerprint: string;
  key: string;
  location: string | null;
  organization_id: Generated<string>;
  principal_id: string;
  status: number;
}

export interface Ledger {
  actor: Json;
  changed: string[];
  data: Json;
  id: string;
  occurred_at: Date;
  organization_id: Generated<string>;
  personal: Json | null;
  personal_salt: Buffer | null;
  request_id: string;
  resource_id: string;
  resource_type: string;
  resource_version: number;
  schema_version: Generated<number>;
  traceparent: string | null;
  type: string;
  xid: Generated<string>;
}

export interface LedgerCheckpoints {
  hash: Buffer;
  id: string;
  jws: string;
  key_id: string;
  number: number;
  organization_id: Generated<string>;
  sequence: number;
  signed_at: Date;
}

export interface LedgerExportChunks {
  content: Buffer;
  export_id: string;
  number: number;
  organization_id: Generated<string>;
}

export interface LedgerExports {
  bytes: Generated<number>;
  chunks: Generated<number>;
  completed_at: Date | null;
  created_at: Date;
  events: Generated<number>;
  expires_at: Date | null;
  failure: Json | null;
  first_sequence: number;
  id: string;
  last_sequence: number;
  organization_id: Generated<string>;
  state: string;
  written_sequence: number;
}

export interface LedgerVerifications {
  completed_at: Date | null;
  created_at: Date;
  failure: Json | null;
  first_sequence: number;
  id: string;
  kept: string | null;
  last_sequence: number;
  organization_id: Generated<string>;
  outcome: Json | null;
  state: string;
}

export interface Locations {
  created_at: Date;
  id: string;
  is_default: boolean;
  metadata: Generated<Json>;
  name: string;
  organization_id: Generated<string>;
  updated_at: Date;
  version: Generated<number>;
}

export interface OrderHolds {
  blocks: string;
  created_at: Date;
  id: string;
  kind: string;
  order_id: string;
  organization_id: Generated<string>;
  reason: string | null;
  released_at: Date | null;
}

export interface OrderLines {
  discount_amount: number;
  id: string;
  metadata: Json;
  order_id: string;
  organization_id: Generated<string>;
  position: number;
  quantity: number;
  quantity_backordered: Generated<number>;
  quantity_cancelled: Generated<number>;
  quantity_fulfilled: Generated<number>;
  sku: string;
  tax_amount: number;
  title: string;
  total_amount: number;
  tracked: boolean;
  unit_price_amount: number;
}

export interface Orders {
  billing_address: Json | null;
  cancel_reason: string | null;
  closed_at: Date | null;
  confirmed_at: Date | null;
  created_at: Date;
  currency: string;
  customer: Json | null;
  customer_email: Generated<string | null>;
  discount_amount: number;
  discounts: Generated<Json>;
  expires_at: Date | null;
  external_id: string | null;
  id: string;
  items_amount: number;
  location_id: string;
  metadata: Json;
  notes: string | null;
  number: string;
  organization_id: Generated<string>;
  payment_terms: string;
  placed_at: Date | null;
  shipping: Generated<Json>;
  shipping_address: Json | null;
  shipping_amount: number;
  source: string | null;
  status: string;
  tax_amount: number;
  taxes: Generated<Json>;
  total_amount: number;
  updated_at: Date;
  version: number;
}

export interface Organizations {
  created_at: Date;
  currency: string;
  id: Generated<string>;
  metadata: Generated<Json>;
  name: string;
  updated_at: Date;
  version: Generated<number>;
}

export interface Products {
  attributes: Generated<Json>;
  created_at: Date;
  description: string | null;
  id: string;
  images: Generated<Json>;
  metadata: Generated<Json>;
  organization_id: Generated<string>;
  prices: Json;
  sku: string;
  status: string;
  stock_policy: string;
  title: string;
  updated_at: Date;
  version: Generated<number>;
}

export interface RelayState {
  beat_at: Date | null;
  behind_since: Date | null;
  leader: string | null;
  position_id: Generated<string>;
  position_xid: Generated<string>;
  single: Generated<boolean>;
  system_identifier: string | null;
}

export interface Reservations {
  created_at: Date;
  expires_at: Date | null;
  id: string;
  location_id: string;
  metadata: Generated<Json>;
  order_id: string | null;
  organization_id: Generated<string>;
  quantity: number;
  sku: string;
  state: string;
  updated_at: Date;
  version: number;
}

export interface StockLevels {
  backordered: Generated<number>;
  created_at: Date;
  location_id: string;
  low_stock_threshold: number | null;
  marked: Generated<string>;
  metadata: Generated<Json>;
  on_hand: number;
  organization_id: Generated<string>;
  reserved: Generated<number>;
  safety_stock: Generated<number>;
  sku: string;
  updated_at: Date;
  version: Generated<number>;
}

export interface StockMovements {
  actor: Json;
  id: string;
  location_id: string;
  occurred_at: Date;
  on_hand: number;
  on_hand_change: number;
  order_id: string | null;
  organization_id: Generated<string>;
  reason: string | null;
  request_id: string;
  reservation_id: string | null;
  reserved: number;
  reserved_change: number;
  sku: string;
  type: string;
}

export interface WebhookAttempts {
  at: Date;
  delivery_id: string;
  duration_ms: number;
  endpoint_id: string;
  error: string | null;
  id: string;
  number: number;
  organization_id: Generated<string>;
  response_excerpt: string | null;
  status: number | null;
}

export interface WebhookDeliveries {
  attempts: Generated<number>;
  attempts_left: Generated<number>;
  created_at: Date;
  delivered_at: Date | null;
  due_at: Date;
  endpoint_id: string;
  event_id: string;
  event_type: string;
  id: string;
  last_error: string | null;
  last_status: number | null;
  leased_by: string | null;
  leased_until: Date | null;
  organization_id: Generated<string>;
  payload: string | null;
  replay_of: string | null;
  resource_id: string;
  sequence: number;
  state: Generated<string>;
  version: Generated<number>;
}

export interface WebhookEndpoints {
  allowed_sources: Generated<string[]>;
  archived_at: Date | null;
  consecutive_failures: Generated<number>;
  created_at: Date;
  description: string | null;
  disabled_reason: string | null;
  failing_since: Date | null;
  id: string;
  max_concurrency: Generated<number>;
  metadata: Generated<Json>;
  next_probe_at: Date | null;
  ordering: Generated<string>;
  organization_id: Generated<string>;
  principal_id: string;
  probe_count: Generated<number>;
  state: Generated<string>;
  types: string[];
  updated_at: Date;
  url: string;
  version: Generated<number>;
}

export interface WebhookSecrets {
  ciphertext: string;
  created_at: Date;
  endpoint_id: string;
  expires_at: Date | null;
  id: string;
  organization_id: Generated<string>;
}

export interface DB {
  api_keys: ApiKeys;
  event_heads: EventHeads;
  events: Events;
  idempotency_keys: IdempotencyKeys;
  ledger: Ledger;
  ledger_checkpoints: LedgerCheckpoints;
  ledger_export_chunks: LedgerExportChunks;
  ledger_exports: LedgerExports;
  ledger_verifications: LedgerVerifications;
  locations: Locations;
  order_holds: OrderHolds;
  order_lines: OrderLines;
  orders: Orders;
  organizations: Organizations;
  products: Products;
  relay_state: RelayState;
  reservations: Reservations;
  stock_levels: StockLevels;
  stock_movements: StockMovements;
  webhook_attempts: WebhookAttempts;
  webhook_deliveries: WebhookDeliveries;
  webhook_endpoints: WebhookEndpoints;
  webhook_secrets: WebhookSecrets;
}
