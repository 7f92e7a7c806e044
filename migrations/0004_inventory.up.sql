create table locations (
  organization_id text collate "C" not null default current_setting('app.organization_id') references organizations,
  id text collate "C" not null,
  name text not null check (length(name) between 1 and 200),
  is_default boolean not null,
  metadata jsonb not null default '{}',
  version integer not null default 1,
  created_at timestamptz(3) not null,
  updated_at timestamptz(3) not null,
  primary key (organization_id, id)
);
create unique index locations_default_key on locations (organization_id) where is_default;

-- version counts set and adjust only; reservations move `reserved` and leave it.
-- on_hand may fall below reserved: an ERP's count is believed and shows as a shortfall.
create table stock_levels (
  organization_id text collate "C" not null default current_setting('app.organization_id'),
  sku text collate "C" not null,
  location_id text collate "C" not null,
  on_hand integer not null check (on_hand >= 0),
  reserved integer not null default 0 check (reserved >= 0),
  safety_stock integer not null default 0 check (safety_stock >= 0),
  metadata jsonb not null default '{}',
  version integer not null default 1,
  created_at timestamptz(3) not null,
  updated_at timestamptz(3) not null,
  primary key (organization_id, sku, location_id),
  foreign key (organization_id, sku) references products (organization_id, sku),
  foreign key (organization_id, location_id) references locations (organization_id, id)
) with (fillfactor = 70);

-- Append-only, with the level each movement led to. No foreign keys: nothing it names is ever deleted.
create table stock_movements (
  organization_id text collate "C" not null default current_setting('app.organization_id'),
  sku text collate "C" not null,
  location_id text collate "C" not null,
  id text collate "C" not null,
  type text not null check (type in ('receipt', 'adjustment', 'reserve', 'release', 'consume', 'restock')),
  on_hand_change integer not null,
  reserved_change integer not null,
  on_hand integer not null,
  reserved integer not null,
  order_id text collate "C",
  reason text,
  actor jsonb not null,
  request_id text not null,
  occurred_at timestamptz(3) not null,
  primary key (organization_id, sku, location_id, id)
);

alter table locations enable row level security;
alter table locations force row level security;
create policy tenant on locations to purser_app
  using (organization_id = current_setting('app.organization_id', true))
  with check (organization_id = current_setting('app.organization_id', true));
grant select, insert, update on locations to purser_app;

alter table stock_levels enable row level security;
alter table stock_levels force row level security;
create policy tenant on stock_levels to purser_app
  using (organization_id = current_setting('app.organization_id', true))
  with check (organization_id = current_setting('app.organization_id', true));
grant select, insert, update on stock_levels to purser_app;

alter table stock_movements enable row level security;
alter table stock_movements force row level security;
create policy tenant on stock_movements to purser_app
  using (organization_id = current_setting('app.organization_id', true))
  with check (organization_id = current_setting('app.organization_id', true));
grant select, insert on stock_movements to purser_app;
